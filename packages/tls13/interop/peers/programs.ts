// Peers that are small programs of ours on somebody else's TLS. All take the same words:
//   PROGRAM client --port N --ca FILE [--bytes N] [--connections N] [--groups A:B] [--cert FILE --key FILE] ...
//   PROGRAM server --cert FILE --key FILE [--ca FILE: clients must show a certificate] [--groups A:B] ...

import { files, psk } from "../files.ts"
import type { Run } from "../program.ts"
import {
  type ClientPeer,
  type ClientRequest,
  noMadeUpEch,
  type PeerServer,
  type Reasons,
  type ServerPeer,
  type ServerRequest,
} from "../tls-rows.ts"

export interface PeerProgram {
  readonly name: string
  /** @throws Absent when it is not here; called before `command` */
  readonly version: () => Promise<string>
  readonly command: () => readonly [program: string, ...args: string[]]
  /** Whether it renews keys by itself. */
  readonly renewsKeys?: boolean
  /** What it cannot do in either role, and in one. */
  readonly not: Reasons
  readonly clientNot?: Reasons
  readonly serverNot?: Reasons
}

const external = `${psk.identity}:${psk.hex}`

export function clientProgram(peer: PeerProgram): ClientPeer {
  const { name, version, renewsKeys = false } = peer
  const connect = async (run: Run, request: ClientRequest): Promise<void> => {
    const [program, ...args] = peer.command()
    await run.do(program, [
      ...[...args, "client", "--port", `${request.port}`, "--ca", files.ca, "--bytes", `${request.text.length}`],
      ...(request.groups ? ["--groups", request.groups] : []),
      ...(request.resume ? ["--connections", "2"] : []),
      ...(request.certificate ? ["--cert", files.clientCert, "--key", files.clientKey] : []),
      ...(request.keyUpdate && renewsKeys ? ["--key-update", "yes"] : []),
      ...(request.early ? ["--early", request.early] : []),
      ...(request.psk ? ["--psk", external] : []),
      ...(request.postHandshake ? ["--post-handshake", "yes"] : []),
      ...(request.ech ? ["--ech", files.echKey] : []),
      ...(request.echRejected ? ["--ech", files.otherEchKey, "--ech-retry", files.echKey] : []),
      ...(request.echMadeUp ? ["--ech-grease", "yes"] : []),
    ])
  }
  return { name: `${name}, client`, version, connect, not: { ...noMadeUpEch, ...peer.not, ...peer.clientNot } }
}

export function serverProgram(peer: PeerProgram): ServerPeer {
  const serve = async (run: Run, request: ServerRequest): Promise<PeerServer> => {
    const [command, ...args] = peer.command()
    const program = run.start(command, [
      ...[...args, "server"],
      ...(request.psk ? ["--psk", external] : ["--cert", files.cert, "--key", files.key]),
      ...(request.group ? ["--groups", request.group] : []),
      ...(request.certificate ? ["--ca", files.ca] : []),
      ...(request.feature === "KeyUpdate" && peer.renewsKeys ? ["--key-update", "yes"] : []),
      ...(request.early ? ["--early", "4096"] : []),
      ...(request.postHandshake ? ["--post-handshake", "yes"] : []),
      ...(request.ech ? ["--ech", files.echKey] : []),
    ])
    const [, port] = await program.prints(/listening on .*:(\d+)/)
    return { port: Number(port), program }
  }
  return {
    name: `${peer.name}, server`,
    version: peer.version,
    serve,
    not: { ...peer.not, ...peer.serverNot },
  }
}
