// The byte stream to a broker, as the options of a command say.

import { existsSync } from "node:fs"
import type { Socket } from "node:net"
import { join } from "node:path"
import type { Duplex } from "node:stream"
import nodeTls from "node:tls"
import type { ClientOptions } from "@puremq/tls13"
import { type Arguments, UsageError } from "@puremq/tls13/command-line"
import type { SecureContext } from "@puremq/tls13/node"
import { usesMlDsa } from "@puremq/tls13/x509"
import { checkCertificate, schemesToAdd, usableAuthorities } from "../../config/certificate.ts"
import { ConfigError } from "../../config/config.ts"
import { readCertificates, readPrivateKey } from "../../config/pem-file.ts"
import { readBytes, readKeyPassword } from "../../config/text-file.ts"
import { providerWith } from "../../listen/tls-choices.ts"
import { loadTls } from "../../listen/tls-server.ts"
import { addressText, isSecure, type Opener, openerOf, type Place, serverNameOf } from "../../platform/dial.ts"
import { tell } from "../output.ts"

/** Throws UsageError, ConfigError; what goes wrong later is an error of the stream. */
export async function openStream(options: Arguments, place: Place, more: OpenerOptions = {}): Promise<Duplex> {
  return (await streamOpener(options, place, more))()
}

export interface OpenerOptions {
  /** PEM of the authority, where no option says it. */
  readonly trusted?: string | undefined
  /** Of the host, so that no name is looked up. */
  readonly address?: string | undefined
  /** Whose TLS it is; default: this stack's. */
  readonly engine?: TlsEngine | undefined
}

/** This stack, or the host's node:tls, which costs a client less. */
export type TlsEngine = "ours" | "node"

/** Reads what all connections share. Throws UsageError, ConfigError. */
export async function streamOpener(
  options: Arguments,
  place: Place,
  { trusted, address, engine = "ours" }: OpenerOptions = {},
): Promise<Opener> {
  return openerOf(place, isSecure(place) ? await prepareTls(options, place, trusted, engine) : undefined, address)
}

async function prepareTls(
  options: Arguments,
  { transport, host, port }: Place,
  trusted: string | undefined,
  engine: TlsEngine,
): Promise<(socket: Socket) => Duplex> {
  const own = join(".puremq", "ca.pem")
  const given = options.text("cafile")
  const machines = options.flag("tls-use-os-certs")
  if (given !== undefined && machines)
    throw new UsageError(
      "--cafile and --tls-use-os-certs: the server's authority is in the file, or one of this machine's",
    )
  const caFile = given ?? (existsSync(own) && !machines && trusted === undefined ? own : undefined)
  const ca = caFile === undefined ? trusted : usableAuthorities(readCertificates(caFile, "the authority"), caFile, tell)
  const credential = credentialOf(options)
  const insecure = options.flag("insecure")
  if (insecure)
    tell(
      `Warning: --insecure: whoever answers at ${addressText({ host, port })} is taken for the broker, whatever certificate it shows`,
    )
  const identity = { ...(ca !== undefined && { ca }), ...credential }
  const ALPNProtocols = [options.text("tls-alpn") ?? (transport === "wss" ? "http/1.1" : "mqtt")]
  const common = {
    host,
    port,
    ...(serverNameOf(host) !== undefined && { servername: host }),
    ALPNProtocols,
    ...(insecure && { rejectUnauthorized: false }),
  }
  const echFile = options.text("ech")
  if (engine === "node") {
    if (echFile !== undefined) throw new UsageError("--ech needs this stack: leave out --engine node")
    const secureContext = nodeTls.createSecureContext({ ...identity, minVersion: "TLSv1.3" })
    return (socket) => nodeTls.connect({ ...common, socket, secureContext })
  }
  const { connect, createSecureContext } = await loadTls()
  const certificates = [ca ?? "", credential?.cert ?? ""]
  const provider = await providerWith("fast", schemesToAdd(certificates), certificates.some(usesMlDsa))
  const secureContext = createSecureContext({ ...identity, provider })
  const ech = echFile === undefined ? {} : { core: { encryptedClientHello: await hiding(echFile, secureContext) } }
  return (socket) => connect({ ...common, ...ech, socket, secureContext })
}

/** Throws ConfigError. */
async function hiding(file: string, { provider }: SecureContext): Promise<ClientOptions["encryptedClientHello"]> {
  const { echConfigListFromPem, offerEncryptedClientHello } = await import("@puremq/tls13/ech")
  const pem = readBytes(file, "the ECHConfigList")
  try {
    return offerEncryptedClientHello({ provider, configs: echConfigListFromPem(pem) })
  } catch (error) {
    throw new ConfigError(`cannot use the ECHConfigList in ${file}: ${error instanceof Error ? error.message : error}`)
  }
}

/** The client certificate and its key, which are as they must be. Throws UsageError, ConfigError. */
function credentialOf(options: Arguments): { readonly cert: string; readonly key: string } | undefined {
  const [certFile, keyFile, passwordFile] = ["cert", "key", "key-password-file"].map((name) => options.text(name))
  if (certFile === undefined && keyFile === undefined && passwordFile === undefined) return undefined
  if (certFile === undefined) throw new UsageError("--key needs --cert: a certificate and its private key go together")
  if (keyFile === undefined) throw new UsageError("--cert needs --key: a certificate and its private key go together")
  const cert = readCertificates(certFile, "the client certificate")
  const key = readPrivateKey(keyFile, "the client's private key", () =>
    passwordFile === undefined ? undefined : readKeyPassword(passwordFile),
  )
  checkCertificate(cert, key, { cert: certFile, key: keyFile }, Date.now())
  return { cert, key }
}
