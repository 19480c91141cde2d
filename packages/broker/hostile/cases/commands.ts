// Pipes that close, configurations without anything, files that are something else: one line and a status, no stack trace.

import { createPrivateKey } from "node:crypto"
import { createHostProvider } from "@puremq/tls13/crypto/host"
import { encodePkcs8, generateKeyPair } from "@puremq/tls13/devcert"
import type { Case } from "../case.ts"
import { authority, clientOf, oddCertificate, pem, pemsOf, serverFiles, unreadable } from "../certificates.ts"
import { type Program, puremq, runScript, tls13 } from "../programs.ts"
import type { Scene } from "../scene.ts"
import { Client, each, pause } from "../wire/client.ts"
import { publish } from "../wire/mqtt.ts"
import { openStream } from "../wire/wire.ts"

const { random } = createHostProvider()

/** The program ends by itself, with a status that is not 0 and one line that is no stack trace. */
async function endsInOneLine(scene: Scene, what: string, program: Program, milliseconds = 20_000): Promise<void> {
  const ended = await program.endsWithin(milliseconds)
  if (!ended) return scene.fell(`${what}: it goes on`)
  const lines = program.log.split("\n").filter((line) => line.trim() !== "")
  scene.check(program.status !== 0, `${what}: status 0`)
  if (lines.length === 0) scene.fell(`${what}: status ${program.status} without a word`)
  else if (/^\s+at \S/m.test(program.log)) scene.fell(`${what}: a stack trace`)
  else scene.check(lines.length === 1, `${what}: ${lines.length} lines instead of one`)
}

const pipes: Case[] = (["stdout", "stderr", "both"] as const).flatMap((which) => {
  const close = ({ child }: Program) => {
    if (which !== "stderr") child.stdout?.destroy()
    if (which !== "stdout") child.stderr?.destroy()
  }
  const title = which === "both" ? "both outputs" : which
  return [
    {
      name: `${title} closed under the broker`,
      ...(which === "stdout" && { when: "first" as const }),
      beside: true,
      async run(scene: Scene) {
        const server = await scene.broker({ listeners: ["tcp", "tls"] })
        await scene.neighbour(server)
        close(server.program)
        for (let i = 0; i < 20 && server.program.alive; i++) {
          const client = await Client.connect("tcp", server.port("tcp"), { clientId: `c${i}` }).catch(() => undefined)
          client?.wire.destroy()
          const stream = await openStream("tcp", server.port("tls")).catch(() => undefined)
          stream?.end("GET / HTTP/1.0\r\n\r\n")
          await pause(10)
          stream?.destroy()
        }
        await pause(300)
      },
    },
    {
      name: `${title} closed under tls13 serve`,
      beside: true,
      async run(scene: Scene) {
        const server = await scene.tlsServer(["--echo"])
        close(server.program)
        for (let i = 0; i < 20 && server.program.alive; i++) {
          const stream = await openStream("tls", server.port()).catch(() => undefined)
          stream?.write("hello\n")
          await pause(20)
          stream?.destroy()
          const other = await openStream("tcp", server.port()).catch(() => undefined)
          other?.end("no TLS")
          await pause(10)
          other?.destroy()
        }
        await pause(300)
      },
    },
  ]
})

const configurations: Readonly<Record<string, string>> = {
  "{}": "{}",
  "no listener": '{"listeners":[]}',
  "only a log": '{"log":"json"}',
  null: "null",
  "a list": "[]",
  "an empty file": "",
  "a listener of nothing": '{"listeners":[{}]}',
  "a cut file": '{"listeners":[{"type":"tcp"',
}

const commands: Case[] = [
  {
    name: "configurations without a listener",
    when: "first",
    beside: true,
    async run(scene) {
      await each(Object.entries(configurations), 3, async ([what, text]) => {
        const file = scene.file(`${what}.json`, text)
        await endsInOneLine(scene, what, scene.run(puremq, ["start", "--config", file]))
      })
    },
  },
  {
    name: "certificates, keys and authorities that puremq pub cannot use",
    beside: true,
    async run(scene) {
      const ca = authority()
      const own = pemsOf(clientOf(ca, "device"))
      const other = pemsOf(clientOf(ca, "other"))
      const server = await scene.broker({ listeners: ["tls"] })
      const keyPair = generateKeyPair("p256", random)
      const encrypted = createPrivateKey(own.key).export({
        ...{ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "secret" },
      })
      const file = (name: string, text: string | Uint8Array) => scene.file(name, text)
      const [cert, key] = [file("cert.pem", own.cert), file("key.pem", own.key)]
      const caFile = file("ca.pem", serverFiles.ca)
      const versionOne = file("v1.pem", pem(oddCertificate({ version: 1, keyPair })))
      const versionOneKey = file("v1-key.pem", pem(encodePkcs8(keyPair.privateKey), "PRIVATE KEY"))
      const negative = file("negative.pem", pem(unreadable()["serial -5"]!))
      const attempts: Readonly<Record<string, readonly string[]>> = {
        "a version 1 certificate": ["--cert", versionOne, "--key", versionOneKey],
        "an encrypted key": ["--cert", cert, "--key", file("encrypted.pem", encrypted)],
        "the key of another certificate": ["--cert", cert, "--key", file("other.pem", other.key)],
        "--ca with a key in it": ["--ca", key],
        "--ca with nothing in it": ["--ca", file("empty.pem", "")],
        "--ca that is binary": ["--ca", file("binary.pem", random(500))],
        "--ca that is a folder": ["--ca", scene.folder("folder")],
        "--ca that is not there": ["--ca", "nowhere.pem"],
        "a certificate for a key": ["--cert", cert, "--key", cert],
        "a key for a certificate": ["--cert", key, "--key", key],
        "an unreadable certificate": ["--cert", negative, "--key", key],
        "an empty key": ["--cert", cert, "--key", file("nothing.pem", "")],
        "a key without a certificate": ["--key", key],
      }
      const base = ["-h", "localhost", "-p", String(server.port("tls")), "-t", "t", "-m", "m"]
      await each(Object.entries(attempts), 2, async ([what, args]) => {
        const trust = args.includes("--ca") ? [] : ["--ca", caFile]
        await endsInOneLine(scene, what, scene.run(puremq, ["pub", ...base, ...trust, ...args]))
      })
    },
  },
  {
    name: "the same files with tls13 connect and tls13 serve",
    beside: true,
    async run(scene) {
      const own = pemsOf(clientOf(authority(), "device"))
      const [cert, key] = [scene.file("cert.pem", own.cert), scene.file("key.pem", own.key)]
      const attempts: Readonly<Record<string, readonly string[]>> = {
        "--ca with a key in it": ["--ca", key],
        "--ca with nothing in it": ["--ca", scene.file("empty.pem", "")],
        "a certificate for a key": ["--cert", cert, "--key", cert],
        "a key for a certificate": ["--cert", key, "--key", key],
        "a binary certificate": ["--cert", scene.file("binary.pem", random(400)), "--key", key],
        "a binary list": ["--crl", scene.file("crl.pem", random(400))],
      }
      await each(Object.entries(attempts), 2, async ([what, args]) => {
        await endsInOneLine(scene, `connect, ${what}`, scene.run(tls13, ["connect", "127.0.0.1:1", ...args]))
        await endsInOneLine(scene, `serve, ${what}`, scene.run(tls13, ["serve", "127.0.0.1:0", ...args]))
      })
    },
  },
  {
    name: "npm run bogo -- --help",
    beside: true,
    async run(scene) {
      const program = scene.run(runScript, ["bogo", "--help"])
      scene.check(await program.endsWithin(60_000), "it does not end")
      scene.check(program.status === 0, `status ${program.status}`)
      scene.check(!/^\s+at \S/m.test(program.log), "a stack trace")
    },
  },
  {
    name: "tls13 serve whose reader goes away",
    beside: true,
    async run(scene) {
      const program = scene.run(tls13, ["serve", "127.0.0.1:0"])
      const [, port] = (await program.prints(/listening on .*:(\d+)/)) ?? []
      program.child.stdout?.destroy()
      for (let i = 0; i < 5 && program.alive; i++) {
        const stream = await openStream("tls", Number(port)).catch(() => undefined)
        stream?.write("for the terminal that is gone\n")
        await pause(100)
        stream?.destroy()
      }
      // What it shows is what it is for: it may end when nobody looks, but not as a failure.
      scene.check(program.alive || program.status === 0, program.end ?? "it ends")
      scene.check(!/^\s+at \S/m.test(program.errors), "a stack trace")
    },
  },
  {
    name: "puremq sub whose reader goes away",
    beside: true,
    async run(scene) {
      const server = await scene.broker({ listeners: ["tcp"] })
      const sub = scene.run(puremq, ["sub", "--tcp", "-p", String(server.port("tcp")), "-t", "#", "-i", "sub"])
      const client = await scene.client(server, "tcp", { clientId: "pub" })
      const end = performance.now() + 10_000
      while (!sub.output.includes("once") && performance.now() < end) {
        client.wire.send(publish(5, "t", "once"))
        await pause(50)
      }
      sub.child.stdout?.destroy()
      for (let i = 0; i < 20 && sub.alive; i++) {
        client.wire.send(publish(5, "t", "again"))
        await pause(50)
      }
      scene.check(!/^\s+at \S/m.test(sub.errors), "a stack trace")
      await sub.stop()
    },
  },
  {
    name: "SIGHUP as soon as it is listened to, and until the broker listens",
    beside: true,
    addresses: true,
    async run(scene) {
      const acl = scene.file("acl", "all readwrite #\n")
      for (let i = 0; i < 4; i++) {
        const program = scene.run(puremq, [
          "start",
          "--tcp",
          "127.0.0.1:0",
          "--no-tls",
          "--acl",
          acl,
          "--store",
          "memory",
        ])
        const listening = program.prints(/listening.*\btcp on 127\.0\.0\.1:(\d+)/)
        // Before that it is the runtime's, which ends.
        while (program.alive && !program.catches(1)) await pause(1)
        let done = false
        void listening.then(() => {
          done = true
        })
        for (let n = 0; n < 2000 && program.alive && !done; n++) {
          program.child.kill("SIGHUP")
          await pause(2)
        }
        const [, port] = (await listening) ?? []
        if (port === undefined) return scene.fell(`it does not listen: ${program.end ?? program.log.slice(-200)}`)
        program.child.kill("SIGHUP")
        await pause(100)
        const client = await scene.client(scene.watchBroker(program, Number(port)), "tcp", { clientId: "c" })
        scene.check(await client.ping(), "no PINGRESP")
        scene.check(/ (reloaded|unchanged) /.test(program.log), "the log says nothing of a reload")
      }
    },
  },
]

export const commandCases: readonly Case[] = [...pipes, ...commands]
