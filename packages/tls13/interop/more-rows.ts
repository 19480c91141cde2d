// Groups and signatures of `crypto/more`, and ML-DSA of `crypto/noble-pq`, both ways: a client and a server of each peer. In the columns of certificates both sides
// show one, of an authority with a key of the same kind.

import { createNamed, generateBrainpoolKey, generateEd448Key, publicKeyOfAny } from "@puremq/tls13/crypto/more"
import { createNobleProvider } from "@puremq/tls13/crypto/noble"
import { generateMlDsaKeyPair, mlDsaSignatures } from "@puremq/tls13/crypto/noble-pq"
import { createDevelopmentCertificates } from "@puremq/tls13/devcert"
import { files, writeFile } from "./files.ts"
import { enterNamespace } from "./namespace.ts"
import { connect, serve } from "./ours.ts"
import { gnutlsClient, gnutlsServer } from "./peers/gnutls.ts"
import { go, nodeLatest, type PeerOptions, rustls } from "./peers/languages.ts"
import { opensslClient } from "./peers/openssl.ts"
import type { PeerProgram } from "./peers/programs.ts"
import type { Program, Run } from "./program.ts"
import type { Row } from "./table.ts"

const groups = ["x448", "ffdhe2048", "ffdhe3072", "ffdhe8192", "brainpoolP256r1tls13"] as const
const keys = [
  "Ed448 certificates",
  "Brainpool certificates",
  "ML-DSA-44 certificates",
  "ML-DSA-65 certificates",
  "ML-DSA-87 certificates",
] as const
export const moreFeatures = [...groups, ...keys] as const
type MoreFeature = (typeof moreFeatures)[number]

type Files = Pick<typeof files, "ca" | "cert" | "key" | "clientCert" | "clientKey">

/** What one cell is about. */
interface Wanted {
  readonly group?: (typeof groups)[number]
  readonly files: Files
  /** Our --sigalgs, and that clients show a certificate. */
  readonly scheme?: string
}

interface MorePeer {
  readonly name: string
  /** @throws Absent */
  readonly version: () => Promise<string>
  /** Connects, sends `text` and has it back. */
  readonly connect?: (run: Run, port: number, wanted: Wanted) => Promise<void>
  readonly serve?: (run: Run, wanted: Wanted) => Promise<{ readonly port: number; readonly program: Program }>
  /** What the server answers to `text`. */
  readonly answer?: string
  readonly not?: Partial<Readonly<Record<MoreFeature, string>>>
}

const text = "quick brown fox\n"

/** Made when a cell wants them. */
const certificates: Readonly<Record<(typeof keys)[number], () => Wanted>> = {
  "Ed448 certificates": once("ed448"),
  "Brainpool certificates": once("ecdsa_brainpoolP256r1tls13_sha256"),
  "ML-DSA-44 certificates": once("mldsa44"),
  "ML-DSA-65 certificates": once("mldsa65"),
  "ML-DSA-87 certificates": once("mldsa87"),
}

function once(scheme: string): () => Wanted {
  let wanted: Wanted | undefined
  return () => (wanted ??= { scheme, files: made(scheme) })
}

function made(scheme: string): Files {
  const noble = createNobleProvider()
  const [, size] = /^mldsa(44|65|87)$/.exec(scheme) ?? []
  const added = size ? mlDsaSignatures : createNamed([scheme]).signatures
  const provider = { ...noble, signatures: [...noble.signatures, ...added] }
  const pem = createDevelopmentCertificates({
    names: ["localhost"],
    clientName: "device-1",
    now: Date.now(),
    provider,
    keyPair() {
      const { random } = provider
      if (size) return generateMlDsaKeyPair(`ml-dsa-${size}` as "ml-dsa-44" | "ml-dsa-65" | "ml-dsa-87", random)
      const privateKey = scheme === "ed448" ? generateEd448Key(random) : generateBrainpoolKey("brainpoolP256r1", random)
      return { privateKey, publicKey: publicKeyOfAny(privateKey) }
    },
  })
  const file = (name: string, content = ""): string => writeFile(`${scheme}-${name}.pem`, content)
  return {
    ca: file("ca", pem.caCert),
    cert: file("server", pem.serverCert),
    key: file("server-key", pem.serverKey),
    clientCert: file("client", pem.clientCert),
    clientKey: file("client-key", pem.clientKey),
  }
}

function wantedBy(feature: MoreFeature): Wanted {
  return isGroup(feature) ? { group: feature, files } : certificates[feature]()
}

function isGroup(feature: MoreFeature): feature is (typeof groups)[number] {
  return groups.some((group) => group === feature)
}

export function moreRow(peer: MorePeer): Row {
  const cell = (feature: MoreFeature) => {
    const not = peer.not?.[feature]
    if (not !== undefined) return { not }
    return (run: Run) => {
      const wanted = wantedBy(feature)
      return peer.connect ? withClient(run, peer.connect, wanted) : withServer(run, peer, wanted)
    }
  }
  return {
    name: peer.name,
    version: peer.version,
    cells: Object.fromEntries(moreFeatures.map((feature) => [feature, cell(feature)])),
  }
}

function ours({ group, scheme }: Wanted): readonly string[] {
  return [...(group ? ["--groups", group] : []), ...(scheme ? ["--sigalgs", scheme] : [])]
}

async function withClient(run: Run, client: NonNullable<MorePeer["connect"]>, wanted: Wanted): Promise<void> {
  const { cert, key, ca } = wanted.files
  const asks = wanted.scheme ? ["--verify", "require", "--ca", ca] : []
  const { port, program } = await serve(run, ["--echo", "--cert", cert, "--key", key, ...asks, ...ours(wanted)])
  await client(run, port, wanted)
  await program.prints(new RegExp(`TLSv1\\.3 TLS_\\w+ ${wanted.group ?? "\\w+"} new`))
  if (wanted.scheme) await program.prints(/ client CN=device-1 \d+ ms/)
}

async function withServer(run: Run, { serve: start, answer = text }: MorePeer, wanted: Wanted): Promise<void> {
  const { port } = await start!(run, wanted)
  const { ca, clientCert, clientKey } = wanted.files
  const shows = wanted.scheme ? ["--cert", clientCert, "--key", clientKey] : []
  const program = connect(run, port, ["--ca", ca, ...shows, ...ours(wanted)])
  await program.prints(/verified +yes/)
  if (wanted.group) await program.prints(new RegExp(`key exchange ${wanted.group}`))
  program.write(text)
  await program.shows(answer)
}

/** OpenSSL's name. */
const opensslGroup = (group: string): string => (group === "x448" ? "X448" : group)

function noMlDsa(why: string): NonNullable<MorePeer["not"]> {
  return { "ML-DSA-44 certificates": why, "ML-DSA-65 certificates": why, "ML-DSA-87 certificates": why }
}

const since32 = "the curves of RFC 8734 came with OpenSSL 3.2"
const openssl30 = {
  brainpoolP256r1tls13: since32,
  "Brainpool certificates": since32,
  ...noMlDsa("ML-DSA came with OpenSSL 3.5"),
} as const
const opensslOptions = ({ group, files: { ca }, scheme }: Wanted): readonly string[] => [
  ...(group ? ["-groups", opensslGroup(group)] : []),
  ...["-tls1_3", "-CAfile", ca, "-verify_return_error"],
  ...(scheme ? ["-sigalgs", scheme] : []),
]

const noBrainpool = "GnuTLS has no Brainpool curves"
const gnutlsNot = {
  brainpoolP256r1tls13: noBrainpool,
  "Brainpool certificates": noBrainpool,
  ...noMlDsa("GnuTLS of Debian 12 has no ML-DSA"),
} as const
const gnutlsPriority = (group: string | undefined): string =>
  `NORMAL:-VERS-ALL:+VERS-TLS1.3${group ? `:-GROUP-ALL:+GROUP-${group.toUpperCase()}` : ""}`

/** node:tls of a Node with OpenSSL 3.5. */
async function connectNode(run: Run, port: number, { group, files: by, scheme }: Wanted): Promise<void> {
  const [program, ...args] = nodeLatest.command()
  await run.do(program, [
    ...[...args, "client", "--port", `${port}`, "--ca", by.ca],
    ...(group ? ["--groups", opensslGroup(group)] : []),
    ...(scheme ? ["--cert", by.clientCert, "--key", by.clientKey] : []),
  ])
}

/** A peer that has nothing of this table yet: that is what it says. */
function without({ name, version }: PeerProgram, not: string, mlDsa: string): Row {
  return moreRow({
    name: `${name}, client and server`,
    version,
    not: { ...Object.fromEntries(moreFeatures.map((feature) => [feature, not])), ...noMlDsa(mlDsa) },
  })
}

/** @param options whether the peers that take long to build may be */
export const moreRows = (options: PeerOptions): readonly Row[] => [
  moreRow({
    name: "openssl s_client",
    version: opensslClient.version,
    async connect(run, port, wanted) {
      const { clientCert, clientKey } = wanted.files
      const client = run.start("openssl", [
        ...["s_client", "-connect", `127.0.0.1:${port}`, "-servername", "localhost", "-quiet"],
        ...opensslOptions(wanted),
        ...(wanted.scheme ? ["-cert", clientCert, "-key", clientKey] : []),
      ])
      client.write(text)
      await client.shows(text)
    },
    not: openssl30,
  }),
  moreRow({
    name: "openssl s_server",
    version: opensslClient.version,
    async serve(run, wanted) {
      const program = run.start("openssl", [
        ...["s_server", "-accept", "127.0.0.1:0", "-rev", "-cert", wanted.files.cert, "-key", wanted.files.key],
        ...opensslOptions(wanted),
        ...(wanted.scheme ? ["-Verify", "1"] : []),
      ])
      const [, port] = await program.prints(/^ACCEPT .*:(\d+)$/m)
      return { port: Number(port), program }
    },
    answer: [...text.trim()].reverse().join(""),
    not: openssl30,
  }),
  moreRow({
    name: "gnutls-cli",
    version: gnutlsClient.version,
    async connect(run, port, { group, files: by, scheme }) {
      const client = run.start("gnutls-cli", [
        ...["127.0.0.1", "-p", `${port}`, "--sni-hostname", "localhost", "--verify-hostname", "localhost"],
        ...["--x509cafile", by.ca, "--priority", gnutlsPriority(group)],
        ...(scheme ? ["--x509certfile", by.clientCert, "--x509keyfile", by.clientKey] : []),
      ])
      await client.prints(/Handshake was completed/)
      client.write(text)
      await client.shows(text)
    },
    not: gnutlsNot,
  }),
  moreRow({
    name: "gnutls-serv",
    version: gnutlsServer.version,
    async serve(run, { group, files: by, scheme }) {
      const port = 4434
      enterNamespace(run)
      const program = run.start("gnutls-serv", [
        ...["--echo", "-p", `${port}`, "--priority", gnutlsPriority(group)],
        ...["--x509certfile", by.cert, "--x509keyfile", by.key],
        ...(scheme
          ? ["--x509cafile", by.ca, "--verify-client-cert", "--require-client-cert"]
          : ["--disable-client-cert"]),
      ])
      await program.prints(/Echo Server listening on IPv4/)
      return { port, program }
    },
    not: gnutlsNot,
  }),
  moreRow({
    name: `${nodeLatest.name}, client`,
    version: nodeLatest.version,
    connect: connectNode,
    not: { "Brainpool certificates": "Node 26 crashes when it compares such a server's certificate with its name" },
  }),
  moreRow({
    name: `${nodeLatest.name}, server`,
    version: nodeLatest.version,
    async serve(run, { group, files: by, scheme }) {
      const [command, ...args] = nodeLatest.command()
      const program = run.start(command, [
        ...[...args, "server", "--cert", by.cert, "--key", by.key],
        ...(group ? ["--groups", opensslGroup(group)] : []),
        ...(scheme ? ["--ca", by.ca] : []),
      ])
      const [, port] = await program.prints(/listening on .*:(\d+)/)
      return { port: Number(port), program }
    },
  }),
  without(go, "Go's crypto/tls has neither these groups nor these keys", "Go's crypto/tls has no ML-DSA certificates"),
  without(
    rustls(options),
    "rustls has neither these groups nor these keys",
    "rustls has ML-DSA by its feature aws-lc-rs-unstable alone, which this program is built without",
  ),
]
