// Starts the broker with a configuration file, on free ports, without its bridges.

import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { developmentCertificates } from "../../src/cli/certificates.ts"
import { loadConfigFile } from "../../src/config/load.ts"
import { createBroker } from "../../src/index.ts"

/** ca.pem, server.pem, server-key.pem, and the names that NanoMQ has for them. */
export function makeCertificates(folder: string): void {
  developmentCertificates(folder, Date.now())
  for (const [from, to] of [
    ["ca.pem", "cacert.pem"],
    ["server.pem", "cert.pem"],
    ["server-key.pem", "key.pem"],
    ["client.pem", "client-cert.pem"],
  ] as const)
    writeFileSync(join(folder, to), readFileSync(join(folder, from)))
}

/** Throws ConfigError when it cannot. */
export async function startedWith(file: string): Promise<void> {
  const { config } = loadConfigFile(file, Date.now())
  const broker = createBroker({
    ...config,
    store: { type: "memory" },
    // They would look for brokers elsewhere.
    bridges: [],
    ...(config.admin !== undefined && { admin: { ...config.admin, host: "127.0.0.1", port: 0 } }),
    listeners: (config.listeners ?? []).map((one) => ({ ...one, host: "127.0.0.1", port: 0 })),
  })
  try {
    await broker.listen()
  } finally {
    await broker.close()
  }
}
