import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    // Compiled copies of the tests are in build/.
    include: ['test/**/*.test.ts'],
    // Tests load native files and start compilers, so each file gets a process of its own; two of them fill two cores.
    pool: 'forks',
    maxWorkers: 2,
    // Native code is compiled in many tests; a busy machine must not fail them.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    env: { KCC_VERIFY: '1' },
  },
})
