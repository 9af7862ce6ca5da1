import eu.europa.esig.dss.diagnostic.DiagnosticData;
import eu.europa.esig.dss.diagnostic.SignatureWrapper;
import eu.europa.esig.dss.model.FileDocument;
import eu.europa.esig.dss.model.x509.CertificateToken;
import eu.europa.esig.dss.spi.DSSUtils;
import eu.europa.esig.dss.spi.validation.CommonCertificateVerifier;
import eu.europa.esig.dss.spi.x509.CommonTrustedCertificateSource;
import eu.europa.esig.dss.validation.SignedDocumentValidator;
import eu.europa.esig.dss.validation.reports.Reports;
import java.io.File;

/** What the EU's DSS says of one container, a line each. Arguments: the pack, then trusted certificates (PEM). No network. */
public class Dss {
  public static void main(String[] words) {
    CommonTrustedCertificateSource trusted = new CommonTrustedCertificateSource();
    for (int i = 1; i < words.length; i++) {
      CertificateToken token = DSSUtils.loadCertificate(new File(words[i]));
      trusted.addCertificate(token);
    }
    CommonCertificateVerifier verifier = new CommonCertificateVerifier(true);
    verifier.setTrustedCertSources(trusted);
    SignedDocumentValidator validator = SignedDocumentValidator.fromDocument(new FileDocument(words[0]));
    validator.setCertificateVerifier(verifier);
    Reports reports = validator.validateDocument();
    DiagnosticData data = reports.getDiagnosticData();
    System.out.println("container " + data.getContainerType());
    System.out.println("signatures " + data.getSignatures().size());
    for (SignatureWrapper signature : data.getSignatures()) {
      String id = signature.getId();
      System.out.println("file " + signature.getFilename());
      System.out.println("format " + signature.getSignatureFormat());
      System.out.println("intact " + signature.isSignatureIntact());
      System.out.println("valid " + signature.isSignatureValid());
      System.out.println("timestamps " + signature.getTimestampList().size());
      System.out.println("indication " + reports.getSimpleReport().getIndication(id));
      System.out.println("subindication " + reports.getSimpleReport().getSubIndication(id));
      reports.getSimpleReport().getAdESValidationErrors(id).forEach(m -> System.out.println("error " + m.getValue()));
      reports.getSimpleReport().getAdESValidationWarnings(id).forEach(m -> System.out.println("warning " + m.getValue()));
    }
  }
}
