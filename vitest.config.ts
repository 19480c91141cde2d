import { availableParallelism } from "node:os"
import { defineConfig } from "vitest/config"

// Tests run on the sources: the `@puremq/source` condition of each package's exports leads to src/, not dist/.
const conditions = ["@puremq/source", "module", "node", "development|production", "import", "default"]

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    include: [
      "packages/*/src/**/*.test.ts",
      "packages/*/tests/**/*.test.ts",
      "packages/*/bogo/*.test.ts",
      "scripts/**/*.test.ts",
    ],
    // What only computes takes 5 seconds of a machine that has nothing else to do.
    testTimeout: 60_000,
    // Many tests wait for programs, timers or sockets: two cores have room for two files.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    // A busy machine takes its time.
    expect: { poll: { timeout: 20_000 } },
    globalSetup: ["scripts/steps/global.ts"],
    setupFiles: ["scripts/steps/record.ts"],
  },
})
