import { createRequire } from "node:module"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { freePort } from "./child.mjs"

/** The installed broker, with a TLS port. */
export async function withBroker({ folder, setting }, work) {
  const fromProject = createRequire(join(folder, "package.json"))
  const { createBroker } = await import(pathToFileURL(fromProject.resolve("@puremq/broker")).href)
  const port = await freePort()
  const { cert, key } = setting
  const broker = createBroker({ listeners: [{ type: "tls", host: "127.0.0.1", port, cert, key }] })
  try {
    await broker.listen()
    return await work(port)
  } finally {
    await broker.close()
  }
}
