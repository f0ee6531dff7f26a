import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['{base,engine,catalog,src,tools,bench}/**/*.test.ts'],
    reporters: ['default', './tools/count-reporter.ts'],
    pool: 'forks',
    testTimeout: 60_000,
  },
})
