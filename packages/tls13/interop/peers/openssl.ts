// openssl s_client and s_server.

import { files, inFolder, outputOf, psk, writeFile } from "../files.ts"
import type { Program, Run } from "../program.ts"
import { Absent } from "../table.ts"
import {
  type ClientPeer,
  type ClientRequest,
  noMadeUpEch,
  type PeerServer,
  type ServerPeer,
  type ServerRequest,
} from "../tls-rows.ts"

async function version(): Promise<string> {
  const text = outputOf("openssl", "version")
  if (text === undefined) throw new Absent("there is no openssl (Debian: openssl)")
  return text.split(" ").slice(0, 2).join(" ")
}

const since32 = {
  "raw public keys": "raw public keys came with OpenSSL 3.2",
  "certificate compression": "certificate compression came with OpenSSL 3.2",
  "Encrypted Client Hello": "Encrypted Client Hello came with OpenSSL 4.0",
  "ECH, rejected": "Encrypted Client Hello came with OpenSSL 4.0",
} as const
const noRecordLimit = "OpenSSL has no record_size_limit"
const noMlKem = "ML-KEM came with OpenSSL 3.5"

function sClient(
  run: Run,
  { port, groups, certificate, psk: withPsk, postHandshake }: ClientRequest,
  args: readonly string[],
): Program {
  return run.start("openssl", [
    ...["s_client", "-connect", `127.0.0.1:${port}`, "-servername", "localhost", "-tls1_3"],
    ...["-CAfile", files.ca, "-verify_return_error", "-verify_hostname", "localhost"],
    ...(groups ? ["-groups", groups] : []),
    ...(certificate ? ["-cert", files.clientCert, "-key", files.clientKey] : []),
    ...(withPsk ? ["-psk_identity", psk.identity, "-psk", psk.hex] : []),
    ...(postHandshake ? ["-enable_pha"] : []),
    ...args,
  ])
}

let sessions = 0

async function connect(run: Run, request: ClientRequest): Promise<void> {
  if (request.keyUpdate) return renewKeys(run, request)
  const session = inFolder(`openssl-${sessions++}.pem`)
  if (request.resume) {
    const first = sClient(run, request, ["-sess_out", session])
    first.write(request.text)
    await first.prints(/quick brown fox/)
    // A line "Q" ends it.
    first.write("Q\n")
    await first.ended
  }
  const early = request.early ? ["-early_data", writeFile(`early-${sessions}.txt`, request.early)] : []
  const client = sClient(run, request, ["-quiet", ...(request.resume ? ["-sess_in", session] : []), ...early])
  const text = (request.early ?? "") + request.text
  client.write(request.text)
  const echo = await client.gives(text.length)
  if (echo.toString("latin1") !== text) throw new Error(`openssl got another text back: ${client.tail()}`)
}

/** "K" on a line of its own: renew, and ask for the peer's renewal. */
async function renewKeys(run: Run, request: ClientRequest): Promise<void> {
  const client = sClient(run, request, [])
  await client.prints(/Verification: OK/)
  for (const word of ["one", "two", "three"]) {
    client.write(`${word} ${request.text}`)
    await client.prints(new RegExp(`^${word} 0000000 `, "m"))
    client.write("K\n")
    // A command is a line that comes alone.
    await client.prints(new RegExp(`^${word} [\\s\\S]*KEYUPDATE`, "m"))
  }
}

export const opensslClient: ClientPeer = {
  name: "openssl s_client",
  version,
  connect,
  not: { X25519MLKEM768: noMlKem, "record size limit": noRecordLimit, ...since32, ...noMadeUpEch },
}

async function serve(run: Run, request: ServerRequest): Promise<PeerServer> {
  const { feature, group, certificate, early, psk: withPsk, postHandshake } = request
  // -rev answers each line reversed; without it what clients send is printed, and standard input goes to them.
  const typed = feature === "KeyUpdate" || early === true || postHandshake === true
  const program = run.start("openssl", [
    ...["s_server", "-accept", "127.0.0.1:0", "-tls1_3"],
    ...(withPsk
      ? ["-psk_identity", psk.identity, "-psk", psk.hex, "-nocert"]
      : ["-cert", files.cert, "-key", files.key]),
    ...(typed ? [] : ["-rev"]),
    ...(group ? ["-groups", group] : []),
    ...(certificate && !postHandshake ? ["-Verify", "1", "-verify_return_error", "-CAfile", files.ca] : []),
    ...(postHandshake ? ["-CAfile", files.ca] : []),
    ...(early ? ["-early_data"] : []),
  ])
  const [, port] = await program.prints(/^ACCEPT .*:(\d+)$/m)
  return {
    port: Number(port),
    program,
    ...(typed && {
      renewKeys: () => program.write("K\n"),
      askForCertificate: () => program.write("c\n"),
      say: (text: string) => program.write(text),
    }),
  }
}

export const opensslServer: ServerPeer = {
  name: "openssl s_server",
  version,
  serve,
  answer: (text) =>
    text
      .split("\n")
      .map((line) => [...line].reverse().join(""))
      .join("\n"),
  not: { X25519MLKEM768: noMlKem, "record size limit": noRecordLimit, ...since32 },
}
