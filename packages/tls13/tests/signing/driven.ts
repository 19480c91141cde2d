// A client and a server whose decisions take their time: two drivers, with the bytes carried between them in memory.

import { Driver, type Transport } from "../../src/adapters/driver.ts"
import { ClientConnection } from "../../src/connection/client-connection.ts"
import { createClientConfig, createServerConfig } from "../../src/connection/config.ts"
import type { Connection } from "../../src/connection/connection.ts"
import type { ConnectionEvent } from "../../src/connection/events.ts"
import { ServerConnection } from "../../src/connection/server-connection.ts"
import type { HandshakeInfo } from "../../src/handshake/info.ts"
import type { ClientOptions } from "../../src/handshake/options.ts"
import type { Credential } from "../../src/x509/interfaces.ts"
import { always, testVerifier } from "../tools/credentials.ts"

export interface Handshake {
  readonly client: HandshakeInfo
  readonly server: HandshakeInfo
}

/** A handshake in which the credential authenticates the server and the client too. Rejects with the error of whoever fails first. */
export async function handshakeWith(
  credential: Credential,
  options: Pick<ClientOptions, "provider" | "signatureSchemes" | "groups">,
  serverOptions: typeof options = options,
): Promise<Handshake> {
  const now = Date.now()
  const verifier = testVerifier(credential.publicKey)
  const credentials = always(credential)
  const client = new ClientConnection(
    createClientConfig({ ...options, serverName: "server.test", verifier, credentials }),
    now,
  )
  const server = new ServerConnection(
    createServerConfig({ ...serverOptions, credentials, clientAuthentication: { mode: "require", verifier } }),
    now,
  )
  const ends: { client?: Driver; server?: Driver } = {}
  const connected = (connection: Connection, name: "client" | "server", peer: "client" | "server") =>
    new Promise<HandshakeInfo>((resolve, reject) => {
      const onEvent = (event: ConnectionEvent) => {
        if (event.type === "connected") resolve(event.info)
        if (event.type === "failed") reject(event.error)
      }
      const transport: Transport = {
        write(bytes, taken) {
          queueMicrotask(() => ends[peer]?.receive(bytes))
          taken()
        },
        setReading: () => {},
      }
      ends[name] = new Driver({ connection, transport, onEvent })
    })
  const both = Promise.all([connected(client, "client", "server"), connected(server, "server", "client")])
  ends.server?.start()
  ends.client?.start(client.start())
  try {
    const [clientInfo, serverInfo] = await both
    return { client: clientInfo, server: serverInfo }
  } finally {
    ends.client?.destroy()
    ends.server?.destroy()
  }
}
