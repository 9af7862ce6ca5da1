/** The arrows of docs/architecture: core <- collector <- (cli, electron); (core, what of the collector
 * reads CMS and time-stamps and has no host) <- renderer; core <- sdk; (core, the words and the browser's tools of the Verify page) <- verifier.
 * No baseline. */
/** Host-neutral files of the collector: the page and the page from disk check signatures of packs by the same code. */
const CMS = 'collector/evidence/(cms|der|certificates|timestamp)\\.';
const only = (name, from, allowed, why) => ({
  name,
  severity: 'error',
  comment: why,
  from: { path: `^${from}/` },
  to: {
    path: '^(core|collector|cli|electron|renderer|sdk|test|resources|policies|verifier)/',
    pathNot: `^(${allowed.map(one => (one.endsWith('.') ? one : `${one}/`)).join('|')})`,
  },
});
module.exports = {
  forbidden: [
    only('core-stands-alone', 'core', ['core'], 'core imports nothing of ours'),
    {
      name: 'core-is-pure',
      severity: 'error',
      comment: 'core has no host: typebox only',
      from: { path: '^core/' },
      to: {
        dependencyTypes: [
          'core',
          'npm',
          'npm-dev',
          'npm-optional',
          'npm-peer',
          'npm-no-pkg',
          'unknown',
          'undetermined',
        ],
        pathNot: 'node_modules/typebox/',
      },
    },
    only(
      'collector-below-hosts',
      'collector',
      ['core', 'collector'],
      'the collector knows no host and no page',
    ),
    {
      name: 'collector-no-electron',
      severity: 'error',
      comment: 'the collector is headless',
      from: { path: '^(collector|cli|core|renderer)/' },
      to: { path: '(^|node_modules/)electron(/|$)', dependencyTypesNot: ['local'] },
    },
    {
      name: 'collector-no-react',
      severity: 'error',
      comment: 'the collector is headless',
      from: { path: '^(collector|cli|core|electron)/' },
      to: { path: 'node_modules/(react|react-dom|@mantine)/' },
    },
    only(
      'cli-arrows',
      'cli',
      ['core', 'collector', 'cli', 'sdk', 'resources'],
      'cli stands on the collector',
    ),
    only('electron-arrows', 'electron', ['core', 'collector', 'electron'], 'the shell is thin'),
    only(
      'renderer-arrows',
      'renderer',
      ['core', 'renderer', CMS],
      'the page speaks HTTP to the collector, and reads CMS by the same code',
    ),
    {
      name: 'renderer-no-node',
      severity: 'error',
      comment: 'the page has no Node',
      from: { path: '^renderer/' },
      to: { dependencyTypes: ['core'] },
    },
    only(
      'verifier-arrows',
      'verifier',
      ['core', 'verifier', 'renderer/features/evidence/(verdicts|browser_host)\\.'],
      'the page from disk is core, words and the browser’s own tools',
    ),
    {
      name: 'verifier-no-node',
      severity: 'error',
      comment: 'the page from disk has no Node, nor has what it shares with the collector',
      from: { path: `^(verifier/|${CMS})` },
      to: { dependencyTypes: ['core'] },
    },
    only('sdk-arrows', 'sdk', ['core', 'sdk'], 'the SDK is tiny'),
    {
      name: 'opa-in-policy-only',
      severity: 'error',
      comment: 'collector/policy is the only importer of opa-wasm',
      from: { path: '^(collector|cli|electron|renderer|core|sdk)/', pathNot: '^collector/policy/' },
      to: { path: 'node_modules/@open-policy-agent/' },
    },
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
  ],
  options: {
    parser: 'swc',
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^build|(^|/)(generated|dist))/' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['types', 'import', 'node', 'default'],
      extensions: ['.ts', '.tsx', '.js', '.mjs', '.cjs', '.json'],
    },
  },
};
