import { availableParallelism } from "node:os"
import { configDefaults, defineConfig } from "vitest/config"

// Tests run on the sources: the `@puremq/source` condition of each package's exports leads to src/, not dist/.
const conditions = ["@puremq/source", "module", "node", "development|production", "import", "default"]

const all = [
  "packages/*/src/**/*.test.ts",
  "packages/*/tests/**/*.test.ts",
  "packages/*/bogo/*.test.ts",
  "scripts/**/*.test.ts",
]

/** Tests of what has no state beside its objects: they share their modules, as loading these takes longer than most of the tests. */
const together = [
  "packages/tls13/src/{codec,ech,handshake,hpke,schedule,session,x509}/**/*.test.ts",
  "packages/tls13/tests/{delegated,ech,hand-over,hpke,negative,recording,requirements,rfc8448,signing,x509}/**/*.test.ts",
  "packages/broker/src/{access,admin,buses,client,cluster,codecs,hub,packet,routing,session}/**/*.test.ts",
  "packages/broker/tests/cluster/**/*.test.ts",
  "packages/explorer/tests/*.test.ts",
]

/** Of those, what takes the place of a global, or measures the heap. */
const alone = ["packages/broker/src/hub/{catching-up,rules}.test.ts", "packages/broker/src/session/memory.test.ts"]

const { exclude } = configDefaults

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    projects: [
      { extends: true, test: { name: "apart", include: all, exclude: [...exclude, ...together] } },
      { extends: true, test: { name: "alone", include: alone } },
      { extends: true, test: { name: "together", include: together, exclude: [...exclude, ...alone], isolate: false } },
    ],
    testTimeout: 30_000,
    // Many tests wait for programs, timers or sockets: two cores have room for two files.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    // A busy machine takes its time.
    expect: { poll: { timeout: 20_000 } },
    globalSetup: ["scripts/steps/global.ts"],
    setupFiles: ["scripts/steps/record.ts"],
  },
})
