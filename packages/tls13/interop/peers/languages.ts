// The TLS of languages and libraries: Node, Go, Python, Java, rustls.

import { existsSync, readFileSync } from "node:fs"
import { inPeers, outputOf, peerSource } from "../files.ts"
import { Absent } from "../table.ts"
import { build } from "./build.ts"
import type { PeerProgram } from "./programs.ts"

export interface PeerOptions {
  /** Build and install nothing that takes long. */
  readonly quick: boolean
}

const noRecordLimit = "has no record_size_limit (RFC 8449)"
const noPostHandshake = "has no post-handshake authentication"
const noEch = "its interface has no Encrypted Client Hello"
const lacking = {
  "record size limit": noRecordLimit,
  "post-handshake certificate": noPostHandshake,
  "raw public keys": "its interface has no raw public keys",
  "certificate compression": "its interface has no certificate compression",
  "Encrypted Client Hello": noEch,
  "ECH, rejected": noEch,
} as const
const noEarlyData = "its interface has no 0-RTT data"

/* ------------------------------------------------------------ Node */

const nodePeer = peerSource("node/peer.mjs")

export const nodeHere: PeerProgram = {
  name: "node:tls",
  version: async () => `Node ${process.versions.node}, OpenSSL ${process.versions.openssl}`,
  command: () => [process.execPath, nodePeer],
  not: {
    ...lacking,
    "0-RTT": noEarlyData,
    ...(lacksMlKem(process.versions.openssl) && { X25519MLKEM768: "ML-KEM came with OpenSSL 3.5" }),
  },
}

function lacksMlKem(openssl: string): boolean {
  const [major = 0, minor = 0] = openssl.split(".").map(Number)
  return major < 3 || (major === 3 && minor < 5)
}

const node26 = { package: "node@26.10.0", path: inPeers("node_modules/node/bin/node") } as const

export const nodeLatest: PeerProgram = {
  name: "node:tls of Node 26",
  version: async () => {
    await installPackage(node26.package, node26.path)
    const versions = outputOf(node26.path, "-p", "process.versions.node + ', OpenSSL ' + process.versions.openssl")
    if (versions === undefined) throw new Absent(`${node26.package} does not run here`)
    return `Node ${versions}`
  },
  command: () => [node26.path, nodePeer],
  not: { ...lacking, "0-RTT": noEarlyData },
}

/** An npm package, into .peers/. @throws Absent */
export async function installPackage(name: string, path: string): Promise<void> {
  if (existsSync(path)) return
  const args = ["install", "--prefix", inPeers(), "--no-audit", "--no-fund", "--loglevel=error", name]
  // One at a time: they share a folder.
  const install = () => build(`npm install ${name}`, "npm", args)
  const mine = installing.then(install, install)
  installing = mine
  await mine
  if (!existsSync(path)) throw new Absent(`npm install ${name} brought no program for this machine`)
}

let installing: Promise<void> = Promise.resolve()

/* ------------------------------------------------------------ Go */

const goBinary = inPeers("go/peer")

export const go: PeerProgram = {
  name: "Go crypto/tls",
  version: async () => {
    const text = outputOf("go", "version")
    if (text === undefined) throw new Absent("there is no go (Debian: golang)")
    await build("the Go peer", "go", ["build", "-o", goBinary, "."], {
      cwd: peerSource("go"),
      env: { GOFLAGS: "-mod=mod -buildvcs=false" },
    })
    return text.replace("go version ", "").split(" ")[0]!
  },
  command: () => [goBinary],
  not: {
    ...lacking,
    "0-RTT": "has early data for QUIC alone",
    "external PSK": "has no external pre-shared keys",
    "Encrypted Client Hello": undefined,
    "ECH, rejected": undefined,
  },
}

/* ------------------------------------------------------------ Python */

export const python: PeerProgram = {
  name: "Python ssl",
  version: async () => {
    const code = "import platform, ssl; print(f'Python {platform.python_version()}, {ssl.OPENSSL_VERSION[:14]}')"
    const text = outputOf("python3", "-c", code)
    if (text === undefined) throw new Absent("there is no python3 with ssl (Debian: python3)")
    return text
  },
  command: () => ["python3", peerSource("python/peer.py")],
  not: {
    ...lacking,
    "post-handshake certificate": undefined,
    "0-RTT": noEarlyData,
    "external PSK": "came with Python 3.13",
    X25519MLKEM768: "its set_ecdh_curve takes elliptic curves alone",
  },
}

/* ------------------------------------------------------------ Java */

const javaClasses = inPeers("java")

export const java: PeerProgram = {
  name: "Java JSSE",
  version: async () => {
    const text = outputOf("javac", "-version")
    if (text === undefined) throw new Absent("there is no javac (Debian: default-jdk-headless)")
    await build("the Java peer", "javac", ["-d", javaClasses, peerSource("java/Peer.java")])
    return text.replace("javac", "JDK")
  },
  command: () => ["java", "-XX:TieredStopAtLevel=1", "-cp", javaClasses, "Peer"],
  renewsKeys: true,
  not: {
    ...lacking,
    "0-RTT": "JSSE has no 0-RTT",
    "external PSK": "JSSE has no external pre-shared keys",
    X25519MLKEM768: "comes with JDK 27",
  },
}

/* ------------------------------------------------------------ rustls */

const clientsAlone = "has Encrypted Client Hello for clients alone"
const rustlsBinary = inPeers("rustls/debug/puremq-interop-rustls")

export function rustls({ quick }: PeerOptions): PeerProgram {
  return {
    name: "rustls",
    version: async () => {
      if (outputOf("cargo", "--version") === undefined) throw new Absent("there is no cargo (Debian: cargo)")
      if (quick && !existsSync(rustlsBinary)) throw new Absent("it takes minutes to build: run without --ci once")
      await build("the rustls peer", "cargo", ["build", "--locked"], {
        cwd: peerSource("rustls"),
        env: { CARGO_TARGET_DIR: inPeers("rustls") },
      })
      const lock = readFileSync(peerSource("rustls/Cargo.lock"), "utf8")
      return `rustls ${/name = "rustls"\nversion = "([^"]+)"/.exec(lock)?.[1]}, aws-lc-rs`
    },
    command: () => [rustlsBinary],
    renewsKeys: true,
    not: {
      ...lacking,
      "external PSK": "has no external pre-shared keys",
      "raw public keys": "rustls has them, this program does not",
      "certificate compression": undefined,
    },
    clientNot: { "Encrypted Client Hello": undefined, "ECH, rejected": undefined, "ECH, made up": undefined },
    serverNot: { "Encrypted Client Hello": clientsAlone, "ECH, rejected": clientsAlone },
  }
}
