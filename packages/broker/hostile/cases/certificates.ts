// Chains that a peer shows: what the path rightly ignores must not end the application that looks at them later.

import { pathToFileURL } from "node:url"
import type { CredentialResolver } from "@puremq/tls13"
import { createHostProvider } from "@puremq/tls13/crypto/host"
import { connect, createServer, type TLSSocket } from "@puremq/tls13/node"
import type { Case } from "../case.ts"
import {
  authority,
  clientOf,
  credentialOf,
  namesakes,
  pemsOf,
  serverFiles,
  serverOf,
  unreadable,
} from "../certificates.ts"
import { tls13 } from "../programs.ts"
import type { Scene, Server } from "../scene.ts"
import { each, pause } from "../wire/client.ts"
import { rawClientHello } from "../wire/client-hello.ts"
import { openStream } from "../wire/wire.ts"

const provider = createHostProvider()

/** Connects with our own client, which shows what it is told; waits a moment for what the server makes of it. */
function show(port: number, credentials: CredentialResolver, request?: string, milliseconds = 20_000): Promise<string> {
  return new Promise((resolve) => {
    let said = ""
    const socket: TLSSocket = connect({
      ...{ host: "127.0.0.1", port, servername: "localhost", rejectUnauthorized: false, provider: "host" },
      credentials,
    })
    const done = () => {
      clearTimeout(timer)
      socket.destroy()
      resolve(said)
    }
    const timer = setTimeout(done, milliseconds)
    socket.on("error", done).on("close", done)
    socket.on("data", (data: Buffer) => {
      said += data.toString("latin1")
    })
    socket.once("secureConnect", () => {
      if (request !== undefined) socket.write(request)
      else setTimeout(done, 100)
    })
  })
}

const request = "GET / HTTP/1.0\r\n\r\n"

/** Every accessor of a peer's certificate that our adapter has, asked by an application that lets everybody in. */
const application = (node: string, files: { readonly cert: string; readonly key: string }) => `
import { createServer } from ${JSON.stringify(node)}
const server = createServer({ ...${JSON.stringify(files)}, requestCert: true, rejectUnauthorized: false }, (socket) => {
  socket.on("error", () => undefined)
  const seen = [
    socket.getPeerCertificate?.(true), socket.getPeerX509Certificate?.(), socket.getPeerX509Chain?.(),
    socket.authorized, socket.authorizationError, socket.getCipher?.(), socket.getProtocol?.(),
  ]
  socket.end(String(seen.length))
})
server.listen(0, "127.0.0.1", () => console.log("listening on port " + server.address().port))
`

async function showAll(scene: Scene, server: Server, ask: string | undefined): Promise<void> {
  const ca = authority()
  const leaf = clientOf(ca, "device")
  for (const [what, odd] of Object.entries(unreadable())) {
    for (const chain of [[leaf.certificate, odd], [leaf.certificate, odd, ca.certificate, odd], [odd]]) {
      if (!server.program.alive) return
      await show(server.port("tls"), credentialOf(leaf, chain), ask, 3000)
      await pause(20)
      if (!server.program.alive) scene.fell(`an extra certificate: ${what}`)
    }
  }
}

const accessors: Case[] = [
  {
    name: "unreadable certificate in a chain, tls13 serve --www",
    beside: true,
    seconds: 120,
    async run(scene) {
      const server = await scene.tlsServer(["--verify", "request", "--www"])
      await showAll(scene, server, request)
    },
  },
  {
    name: "unreadable certificate in a chain, tls13 serve --verify require",
    beside: true,
    async run(scene) {
      const server = await scene.tlsServer([
        "--verify",
        "require",
        "--echo",
        "--ca",
        scene.file("ca.pem", pemsOf(authority()).cert),
      ])
      await showAll(scene, server, request)
    },
  },
  {
    name: "unreadable certificate in a chain, application on our adapter",
    beside: true,
    seconds: 120,
    async run(scene) {
      const node = pathToFileURL(tls13.replace("cli/main.js", "adapters/node/index.js")).href
      const program = scene.run(scene.file("application.mjs", application(node, serverFiles)), [])
      const [, port] = (await program.prints(/listening on port (\d+)/)) ?? []
      if (port === undefined) throw new Error(`the application does not listen: ${program.log.slice(-200)}`)
      await showAll(scene, scene.watch(program, Number(port)), undefined)
    },
  },
  {
    name: "unreadable certificate in a chain, puremq start --client-cert",
    when: "first",
    beside: true,
    seconds: 120,
    async run(scene) {
      const ca = scene.file("ca.pem", pemsOf(authority()).cert)
      const server = await scene.broker({
        listeners: ["tcp", "tls"],
        args: ["--ca", ca, "--client-cert", "request", "--anonymous"],
      })
      await scene.neighbour(server)
      await showAll(scene, server, undefined)
    },
  },
  {
    name: "unreadable certificate in a server's chain, tls13 connect",
    when: "last",
    beside: true,
    seconds: 120,
    async run(scene) {
      const ca = authority()
      const leaf = serverOf(ca)
      for (const [what, odd] of Object.entries(unreadable())) {
        const server = createServer(
          { credentials: credentialOf(leaf, [leaf.certificate, odd]), provider: "host" },
          (socket) => {
            socket.on("error", () => undefined)
            socket.end("hello\n")
          },
        )
        server.on("tlsClientError", () => undefined)
        await new Promise<void>((resolve) => server.listen({ port: 0, host: "127.0.0.1" }, () => resolve()))
        scene.atEnd(() => server.close())
        const { port } = server.address() as { port: number }
        const authorities = scene.file("ca.pem", pemsOf(ca).cert)
        await each([["--insecure"], ["--ca", authorities]], 2, async (trust) => {
          const args = ["connect", `127.0.0.1:${port}`, "--servername", "localhost", ...trust]
          const program = scene.run(tls13, args, { input: "" })
          scene.check(await program.endsWithin(15_000), `tls13 connect ${trust[0]} does not end: ${what}`)
          const trace = /^\s+at .+:\d+:\d+\)?$/m.test(program.log)
          scene.check(!trace, `tls13 connect ${trust[0]} ends in a stack trace: ${what}`)
        })
      }
    },
  },
]

/** As long as an ECDSA signature of the curve is, and wrong. */
function forgedSignature(length: number): Uint8Array {
  const half = length / 2
  const integer = [0x02, half, 0x11, ...provider.random(half - 1)]
  const body = [...integer, ...integer]
  return Uint8Array.from(body.length < 128 ? [0x30, body.length, ...body] : [0x30, 0x81, body.length, ...body])
}

async function floodOfNamesakes(scene: Scene, count: number, width: number): Promise<void> {
  const ca = scene.file("ca.pem", pemsOf(authority()).cert)
  const server = await scene.broker({
    listeners: ["tcp", "tls"],
    args: ["--ca", ca, "--client-cert", "request", "--anonymous"],
  })
  const { leaf, chain } = namesakes()
  const credentials = credentialOf(leaf, chain, { signature: forgedSignature(130) })
  // What is compiled once is not the attack's.
  await show(server.port("tls"), credentials, undefined, 15_000)
  await scene.neighbour(server)
  await pause(200)
  await each(Array.from({ length: count }).keys(), width, () =>
    show(server.port("tls"), credentials, undefined, 15_000),
  )
}

const floods = (): Case[] => [
  {
    name: "ten P-521 certificates of one name, without their keys",
    async run(scene) {
      scene.bound({ holdUp: 400 })
      await floodOfNamesakes(scene, 1, 1)
    },
  },
  {
    name: "a flood of P-521 certificates of one name",
    when: "first",
    seconds: 90,
    run: (scene) => floodOfNamesakes(scene, 20, 5),
  },
  ...keyShareFloods(),
  {
    name: "a flood of client certificates that nobody here issued",
    seconds: 90,
    async run(scene) {
      const ca = authority()
      const own = pemsOf(clientOf(ca, "device"))
      const server = await scene.broker({
        listeners: ["tcp", "tls"],
        args: ["--ca", scene.file("ca.pem", pemsOf(ca).cert), "--client-cert", "request", "--anonymous"],
        tls: own,
      })
      const strangers = (["p256", "p384", "p521"] as const).map((keyType) => {
        const leaf = clientOf(authority({ keyType }), "stranger", { keyType })
        return credentialOf(leaf, [leaf.certificate])
      })
      await show(server.port("tls"), strangers[0]!)
      await scene.neighbour(server)
      await each(Array.from({ length: 150 }).keys(), 10, (i) =>
        show(server.port("tls"), strangers[i % strangers.length]!, undefined, 10_000),
      )
    },
  },
]

/** Handshakes that are counted. */
const hellos = 80
/** A hello of any group costs the server at most so many times what one of X25519 does. */
const mostTimes = 3

function keyShareFloods(): Case[] {
  return ([0x0018, 0x0019] as const).map((group) => ({
    name: `a flood of key shares of ${group === 0x0018 ? "P-384" : "P-521"}`,
    ...(group === 0x0019 && { when: "first" as const }),
    async run(scene) {
      const server = await scene.broker({ listeners: ["tcp", "tls"] })
      const flood = async (hello: Uint8Array, count: number): Promise<number | undefined> => {
        const before = server.program.processorTime
        await each(Array.from({ length: count }).keys(), 16, async () => {
          const stream = await openStream("tcp", server.port("tls"))
          stream.on("error", () => undefined).write(hello)
          const answered = new Promise((resolve) => stream.once("data", resolve).once("close", resolve))
          await Promise.race([answered, pause(10_000)])
          stream.destroy()
        })
        const after = server.program.processorTime
        return before === undefined || after === undefined ? undefined : (after - before) / count
      }
      const [usual, hostile] = [rawClientHello(0x001d), rawClientHello(group)]
      // What is compiled once is not counted.
      for (const hello of [usual, hostile]) await flood(hello, 20)
      await scene.neighbour(server)
      const cheap = await flood(usual, hellos)
      const dear = await flood(hostile, hellos)
      if (cheap === undefined || dear === undefined) return
      const holds = dear <= mostTimes * Math.max(cheap, 2)
      scene.check(holds, `a hello costs ${dear.toFixed(0)} ms of the processor, one of X25519 ${cheap.toFixed(0)} ms`)
    },
  }))
}

export const certificateCases: readonly Case[] = [...accessors, ...floods()]
