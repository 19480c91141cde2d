// `tls13 inspect`: what a chain of certificates says, and whether it would be accepted.

import { existsSync } from "node:fs"
import { connect as connectTls } from "../adapters/node/connect.ts"
import { chooseProvider } from "../adapters/node/provider.ts"
import { Pause } from "../bytes/pause.ts"
import { certificateBytes, parseCertificate } from "../x509/certificate.ts"
import { type DescribeOptions, describeChain, describeChainAsData } from "../x509/describe.ts"
import { X509Error } from "../x509/errors.ts"
import type { CertificateVerdict } from "../x509/interfaces.ts"
import { nameProblem, referenceHost } from "../x509/name.ts"
import { type PathVerdict, validatePath } from "../x509/path.ts"
import type { TrustStore } from "../x509/trust.ts"
import { createCertificateVerifier } from "../x509/verifier.ts"
import {
  CommandError,
  type OptionTable,
  readAddress,
  readArguments,
  readFile,
  reasonOf,
  UsageError,
} from "./arguments.ts"
import type { Terminal } from "./connect.ts"
import { trustOnly } from "./tls-options.ts"

const options: OptionTable = {
  help: { type: "boolean", short: "h" },
  ca: { type: "string", multiple: true },
  name: { type: "string" },
  json: { type: "boolean" },
}

/** The exit status: whether the chain is accepted. @throws UsageError, CommandError */
export async function inspect(args: readonly string[], terminal: Terminal, colour: boolean): Promise<0 | 1> {
  const read = readArguments("inspect", args, options)
  const [source, ...more] = read.positionals
  if (source === undefined || more.length > 0) {
    throw new UsageError('give one FILE or HOST:PORT; see "tls13 inspect --help"')
  }
  const { trust } = trustOnly(read)
  const name = read.text("name")
  const { chain, verdict } = existsSync(source) ? ofFile(source, trust, name) : await ofServer(source, trust, name)
  const described: DescribeOptions = { now: Date.now(), verdict, provider: chooseProvider(), colour }
  terminal.output.write(
    read.flag("json")
      ? `${JSON.stringify(describeChainAsData(chain, described), null, 2)}\n`
      : describeChain(chain, described),
  )
  return verdict.accepted ? 0 : 1
}

interface Inspected {
  readonly chain: readonly Uint8Array[]
  readonly verdict: CertificateVerdict | PathVerdict
}

function ofFile(path: string, trust: TrustStore, name: string | undefined): Inspected {
  try {
    const chain = certificateBytes(readFile(path))
    const [leaf, ...intermediates] = chain.map((der) => parseCertificate(der))
    const verdict = validatePath({ leaf: leaf!, intermediates, trust, now: Date.now(), provider: chooseProvider() })
    const problem = verdict.accepted && name !== undefined ? nameProblem(leaf!, referenceHost(name)) : undefined
    if (problem === undefined) return { chain, verdict }
    const { reason, message } = problem
    return { chain, verdict: { accepted: false, reason, message, alert: "bad_certificate" } }
  } catch (error) {
    if (error instanceof X509Error) throw new CommandError(`${path}: ${error.message}`)
    throw error
  }
}

async function ofServer(address: string, trust: TrustStore, name: string | undefined): Promise<Inspected> {
  if (!/:\d+$/.test(address))
    throw new CommandError(`${address} cannot be read: it does not exist (for a server, give HOST:PORT)`)
  const { host, port } = readAddress(address)
  const strict = createCertificateVerifier({ trust })
  const seen: Inspected[] = []
  const socket = connectTls({
    host,
    port,
    ...(name !== undefined && { servername: name }),
    // The connection itself carries nothing: it is only to see the chain.
    verifier: {
      verify(verification) {
        const verdict = strict.verify(verification)
        if (!(verdict instanceof Pause)) seen.push({ chain: verification.chain, verdict })
        return verdict
      },
    },
  })
  const error = await new Promise<Error | undefined>((resolve) => {
    socket.once("secureConnect", () => resolve(undefined))
    socket.once("error", resolve)
  })
  socket.on("error", () => undefined)
  socket.destroy()
  const [inspected] = seen
  if (inspected !== undefined) return inspected
  const reason = error && "kind" in error ? error.message : `cannot connect: ${reasonOf(error)}`
  throw new CommandError(`${host}:${port}: ${reason}`)
}
