/** Fetches and recomputes one event's proof in this page. The result carries the time of this computer's clock. */
import { ed25519 } from '@noble/curves/ed25519.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { useQuery } from '@tanstack/react-query';
import type { RecordView } from '../../../core/api/views.ts';
import { call } from '../../api/client.ts';
import type { Failure } from '../../api/problem.ts';
import { checkProof, type ProofResult } from './proof_check.ts';

export function useProof(shown: RecordView) {
  return useQuery<ProofResult, Failure>({
    queryKey: ['eventProof', shown.seq, shown.hash_self],
    queryFn: async ({ signal }) => {
      const reply = await call('eventProof', { params: { seq: shown.seq } }, signal);
      return checkProof(reply, shown, {
        sha256: bytes => sha256(bytes),
        verify: (key, message, signature) => ed25519.verify(signature, message, key, { zip215: false }),
        now: new Date().toISOString(),
      });
    },
    staleTime: 60_000,
    retry: false,
  });
}
