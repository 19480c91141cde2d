// A connection that begins in the clear: a server that says "go ahead", and echoes over TLS from there on.

import type { ConnectStreamOptions, StartTlsSocket } from "@puremq/tls13/deno"
import type { Connect, Setting } from "./openssl.ts"

export async function startTlsCheck(connect: Connect, { startTlsPort, ca }: Setting): Promise<string[]> {
  const server: ConnectStreamOptions = { hostname: "127.0.0.1", port: startTlsPort, ca, serverName: "localhost" }
  const options = { ...server, secureTransport: "starttls" } as const
  const plain: StartTlsSocket = await connect(options)
  const writer = plain.writable.getWriter()
  await writer.write(new TextEncoder().encode("STARTTLS\n"))
  writer.releaseLock()
  const reader = plain.readable.getReader()
  const { value } = await reader.read()
  const consent = new TextDecoder().decode(value)
  if (consent !== "go ahead\n") throw new Error(`the server said ${consent}`)
  reader.releaseLock()
  if (plain.secureTransport !== "starttls" || plain.upgraded) throw new Error("it is TLS already")

  const secure = plain.startTls()
  await secure.opened
  if (!plain.upgraded) throw new Error("it is not TLS yet")
  const secureWriter = secure.writable.getWriter()
  await secureWriter.write(new TextEncoder().encode("hello"))
  await secureWriter.close()
  let got = ""
  const secureReader = secure.readable.getReader()
  for (;;) {
    const { done, value: part } = await secureReader.read()
    if (done) break
    got += new TextDecoder().decode(part)
  }
  if (got !== "hello") throw new Error(`${got} came back`)
  await secure.closed

  const stays = await connect(options)
  await stays.close()
  return ["startTls after a plain preamble, with OpenSSL"]
}
