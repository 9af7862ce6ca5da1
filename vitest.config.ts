import { defineConfig } from 'vitest/config';

const pages = ['test/e2e/**/*.test.ts', 'test/pack/single_page.test.ts'];

/**
 * Real databases, real HTTP, real browsers: generous limits, one file at a time per core. Tests of pages have limits of
 * their own: many steps in one test, on a machine where a browser, a collector and another test file share two cores.
 */
export default defineConfig({
  test: {
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 30_000 } },
    reporters: ['default'],
    projects: [
      { extends: true, test: { name: 'rest', include: ['test/**/*.test.ts'], exclude: pages } },
      {
        extends: true,
        test: { name: 'pages', include: pages, testTimeout: 240_000, hookTimeout: 240_000 },
      },
    ],
  },
});
