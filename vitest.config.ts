import { defineConfig } from 'vitest/config';

/** Real databases, real HTTP, real browsers: generous limits, one file at a time per core. */
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    reporters: ['default'],
  },
});
