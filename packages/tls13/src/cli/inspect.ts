// `tls13 inspect`: what a chain of certificates says, and whether it would be accepted.

import { existsSync } from "node:fs"
import { connect as connectTls } from "../adapters/node/connect.ts"
import { hostRoots } from "../adapters/node/host-roots.ts"
import { chooseProvider } from "../adapters/node/provider.ts"
import { revocationOf } from "../adapters/node/verification.ts"
import { visibleText } from "../bytes/text.ts"
import {
  type Certificate,
  certificateBlocks,
  isSelfIssued,
  parseCertificate,
  placeText,
} from "../x509/certificate/certificate.ts"
import * as KeyUsage from "../x509/certificate/key-usage.ts"
import { missedIssuer } from "../x509/certificate/unreadable.ts"
import * as Oid from "../x509/der/oids.ts"
import { isPem } from "../x509/der/pem.ts"
import { type DescribeOptions, describeChainAsData } from "../x509/describe/describe.ts"
import { describeBundle } from "../x509/describe/describe-bundle.ts"
import { describeChain } from "../x509/describe/describe-text.ts"
import { attempt, isReadable, reasonAlerts, X509Error } from "../x509/errors.ts"
import { isPinned } from "../x509/keys/pins.ts"
import { sameName } from "../x509/names/distinguished-name.ts"
import { nameProblem, referenceHost } from "../x509/names/name.ts"
import { type PathVerdict, validatePath } from "../x509/path/path.ts"
import { problemOf } from "../x509/path/path-problem.ts"
import type { TrustStore } from "../x509/path/trust.ts"
import { ocspStatus, parseOcspResponse } from "../x509/revocation/ocsp.ts"
import { revocationProblem } from "../x509/revocation/revocation.ts"
import { CommandError, readAddress, readFile } from "./arguments.ts"
import { crlsOf, policyOf, trustOf, within } from "./certificate-options.ts"
import { type Arguments, readArguments, UsageError } from "./command-line.ts"
import { inspectCommand } from "./commands.ts"
import type { Terminal } from "./connect.ts"
import { connectProblem } from "./connect-problem.ts"

type Use = "server" | "client" | "any"

/** What is inspected: the chain as presented, and a stapled OCSP response. */
interface Presented {
  readonly chain: readonly Uint8Array[]
  readonly ocspResponse: Uint8Array | undefined
  /** Where each certificate stands, in words. */
  readonly places: readonly string[]
}

/** The exit status: whether the chain is accepted. @throws UsageError, CommandError */
export async function inspect(args: readonly string[], terminal: Terminal, colour: boolean): Promise<0 | 1> {
  const read = readArguments(inspectCommand, args)
  const [source, ...more] = read.positionals
  if (source === undefined || more.length > 0) {
    throw new UsageError('give one FILE or HOST:PORT; see "tls13 inspect --help"')
  }
  const isFile = source === "-" || existsSync(source)
  const host = isFile ? undefined : addressOf(source).host
  const name = nameOf(read) ?? host
  const presented = isFile ? ofFile(source) : await ofServer(source, read.text("name"))
  const certificates = presented.chain.map((der) => attempt(() => parseCertificate(der)))
  const provider = chooseProvider()
  const about = { now: Date.now(), provider, colour, width: terminal.columns ?? 100, places: presented.places }
  const print = (text: string, data: unknown): void => {
    terminal.output.write(read.flag("json") ? `${visibleText(JSON.stringify(data, null, 2), "\n")}\n` : text)
  }
  if (isBundle(certificates) && name === undefined) {
    const { text, data } = describeBundle(presented.chain, about)
    print(text, data)
    return 0
  }
  const use = read.oneOf("for", "server", "client", "any") ?? usualUse(certificates[0])
  const own = trustOf(read)
  for (const problem of own?.skipped ?? []) terminal.say(`warning: ${problem}`)
  const verdict = judge(read, own, presented, certificates, use, name)
  const purpose = [use === "any" ? "" : `as a ${use}`, name === undefined ? "" : `for ${name}`].filter(
    (each) => each !== "",
  )
  const described: DescribeOptions = {
    ...about,
    verdict,
    ...(purpose.length > 0 && { purpose: purpose.join(", ") }),
    remarks: [...orderRemark(certificates), ...(isFile ? [] : stapleRemark(presented, certificates))],
  }
  print(describeChain(presented.chain, described), describeChainAsData(presented.chain, described))
  return verdict.accepted ? 0 : 1
}

/** @throws UsageError for a name that no certificate can be for */
function nameOf(read: Arguments): string | undefined {
  const name = read.text("name")
  const host = name === undefined ? undefined : attempt(() => referenceHost(name))
  if (host instanceof X509Error) throw new UsageError(`--name: ${host.message}`)
  return name
}

/* ------------------------------------------------------------ where certificates come from */

function addressOf(source: string): { readonly host: string; readonly port: number } {
  if (!/:\d+$/.test(source))
    throw new CommandError(`${source} cannot be read: it does not exist (for a server, give HOST:PORT)`)
  return readAddress(source)
}

function ofFile(path: string): Presented {
  const shown = path === "-" ? "the standard input" : path
  const bytes = path === "-" ? readFile(0, shown) : readFile(path)
  const blocks = within(shown, () => {
    if (!isPem(bytes)) parseCertificate(bytes) // nothing but a certificate is worth a description
    return certificateBlocks(bytes)
  })
  return { chain: blocks.map(({ der }) => der), ocspResponse: undefined, places: blocks.map(placeText) }
}

async function ofServer(address: string, servername: string | undefined): Promise<Presented> {
  const { host, port } = addressOf(address)
  const seen: Presented[] = []
  const socket = connectTls({
    host,
    port,
    requestOCSP: true,
    ...(servername !== undefined && { servername }),
    // The connection carries nothing: it is only to see the chain, so it ends here.
    verifier: {
      leafKey: () => undefined, // shown whether or not the server can sign for it
      verify({ chain, ocspResponse }) {
        seen.push({ chain, ocspResponse, places: chain.map((_, index) => `certificate ${index + 1}`) })
        // RFC 9846 section 6.1: "canceling the handshake for some reason unrelated to a protocol failure", then close_notify.
        return { accepted: false, alert: "user_canceled", reason: "inspected", message: "it was only looked at" }
      },
    },
  })
  const error = await new Promise<Error | undefined>((resolve) => {
    socket.once("secureConnect", () => resolve(undefined))
    socket.once("error", resolve)
  })
  socket.on("error", () => undefined)
  socket.destroy()
  const [presented] = seen
  if (presented !== undefined) return presented
  const problem =
    error === undefined ? `${host}:${port}: no certificate came` : connectProblem(error, `${host}:${port}`)
  const old = error && "received" in error && error.received === "protocol_version"
  throw new CommandError(`${problem}${old ? "; it does not speak TLS 1.3, the only version here" : ""}`)
}

/** Several roots and nothing else: a list of authorities, not a chain. */
function isBundle(certificates: readonly (Certificate | X509Error)[]): boolean {
  const read = certificates.filter(isReadable)
  return read.length > 1 && read.every(isSelfIssued)
}

/** A chain whose own certificate is not the first. */
function orderRemark([first, ...others]: readonly (Certificate | X509Error)[]): string[] {
  if (first === undefined || first instanceof X509Error || isSelfIssued(first)) return []
  const below = others.findIndex((each) => !(each instanceof X509Error) && sameName(each.issuer, first.subject))
  if (below < 0) return []
  return [`certificate ${below + 1} was issued by the first one: a server's own certificate comes first in its chain`]
}

/** What a server's stapled OCSP response says. */
function stapleRemark({ ocspResponse }: Presented, [leaf, issuer]: readonly (Certificate | X509Error)[]): string[] {
  if (ocspResponse === undefined || ocspResponse.length === 0) return ["no OCSP response was stapled"]
  if (leaf === undefined || issuer === undefined || leaf instanceof X509Error || issuer instanceof X509Error) return []
  const response = attempt(() => parseOcspResponse(ocspResponse))
  if (response instanceof X509Error) return [`the stapled OCSP response cannot be read: ${response.message}`]
  const status = ocspStatus(response, leaf, issuer, Date.now(), chooseProvider())
  return [status instanceof X509Error ? status.message : `the stapled OCSP response says ${status.kind}`]
}

/* ------------------------------------------------------------ whether they would be accepted */

/** A certificate that says what it is for is judged by that. */
function usualUse(leaf: Certificate | X509Error | undefined): Use {
  if (leaf === undefined || leaf instanceof X509Error || leaf.extensions.basicConstraints?.ca) return "any"
  const usages = leaf.extensions.extKeyUsage
  if (usages?.includes(Oid.serverAuth)) return "server"
  return usages?.includes(Oid.clientAuth) ? "client" : "any"
}

function judge(
  read: Arguments,
  own: TrustStore | undefined,
  { ocspResponse, chain, places }: Presented,
  certificates: readonly (Certificate | X509Error)[],
  use: Use,
  name: string | undefined,
): PathVerdict {
  const [leaf, ...others] = certificates
  if (leaf === undefined || leaf instanceof X509Error) {
    const message = `${places[0] ?? "the first certificate"} cannot be read: ${leaf?.message ?? "there is none"}`
    const reason = leaf?.reason ?? "malformed"
    return { accepted: false, problem: { reason, alert: "bad_certificate", index: 0, subject: "", message } }
  }
  const now = Date.now()
  const provider = chooseProvider()
  const trust = own ?? hostRoots().store
  const { revocation, profile, pins = [] } = policyOf(read)
  const rules = { ...(revocation && revocationOf(revocation)), crls: crlsOf(read) }
  const verdict = validatePath({
    leaf,
    intermediates: others.filter(isReadable),
    trust,
    now,
    provider,
    ...(profile && { profile }),
    usage: use === "any" ? undefined : use === "server" ? Oid.serverAuth : Oid.clientAuth,
    // What TLS 1.3 asks of a leaf (RFC 9846 section 4.5.1.2).
    keyUsage: use === "any" ? 0 : KeyUsage.digitalSignature,
    accept: (path) => revocationProblem(path, rules, ocspResponse, now, provider),
  })
  if (!verdict.accepted) {
    const missed = verdict.problem.reason === "unknown_issuer" ? missedIssuer(chain, certificates) : undefined
    if (missed === undefined) return verdict
    const { index, error } = missed
    const message = `${places[index]} cannot be read: ${error.message}; so ${verdict.problem.message}`
    const { reason } = error
    return { accepted: false, problem: { reason, alert: reasonAlerts[reason], index, subject: "", message } }
  }
  const pinned = pins.length === 0 || verdict.path.some((each) => isPinned(each.spki, pins, provider))
  const problem =
    nameRefusal(leaf, use, name) ??
    (pinned ? undefined : new X509Error("pin_mismatch", "no key in its path is one of --pin"))
  return problem === undefined ? verdict : { accepted: false, problem: problemOf(problem, leaf, 0) }
}

function nameRefusal(leaf: Certificate, use: Use, name: string | undefined): X509Error | undefined {
  if (use === "client") return undefined
  if (name !== undefined) return nameProblem(leaf, referenceHost(name))
  if (use === "any" || leaf.extensions.subjectAltName !== undefined) return undefined
  return new X509Error(
    "no_names",
    "it has no subjectAltName, so no client takes it for any server: the common name does not count (RFC 9525); issue it with a subjectAltName",
  )
}
