import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['{base,engine,catalog,src,tools,bench}/**/*.test.ts'],
    reporters: ['default', './tools/count-reporter.ts'],
    pool: 'forks',
    // All cores: of two, Vitest leaves one idle.
    maxWorkers: '100%',
    testTimeout: 60_000,
  },
})
