// What peers can make the log and the metrics say.

import { execFile } from "node:child_process"
import { get } from "node:http"
import type { Case } from "../case.ts"
import { authority, clientOf, pem, pemsOf } from "../certificates.ts"
import type { Program } from "../programs.ts"
import type { Scene, Server } from "../scene.ts"
import { Client, each, pause } from "../wire/client.ts"
import { rawClientHello } from "../wire/client-hello.ts"
import { connect, publish, subscribe } from "../wire/mqtt.ts"
import { openStream, openWire } from "../wire/wire.ts"

const x25519 = 0x001d

/** An alert record in the clear. */
function alert(description: number, level = 2): Uint8Array {
  return Uint8Array.of(21, 3, 3, 0, 2, level, description)
}

/** ClientHello, the answer, and an alert as OpenSSL sends it that does not like the answer. */
async function refuse(port: number, description: number, hello: Uint8Array | undefined): Promise<void> {
  const stream = await openStream("tcp", port).catch(() => undefined)
  if (stream === undefined) return
  stream.on("error", () => undefined)
  const ended = new Promise<void>((resolve) => void stream.once("close", () => resolve()))
  if (hello !== undefined) {
    stream.write(hello)
    await Promise.race([new Promise((resolve) => stream.once("data", resolve)), ended, pause(5000)])
  }
  stream.write(alert(description))
  await Promise.race([ended, pause(300)])
  stream.destroy()
}

async function trusted(scene: Scene, program: Program, port: number): Promise<void> {
  await refuse(port, 48, rawClientHello(x25519))
  await program.prints(/trust|unexpected_message|unknown_ca/i, 5000)
  scene.check(/not trust/i.test(program.log), "the log does not say that the client does not trust our certificate")
  scene.check(!/unexpected_message/.test(program.log), "unexpected_message instead of the cause")
}

/** What moves a terminal's cursor, or turns its text round. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const raw = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u

const nasty = [
  "\u001b[2J\u001b[31m",
  "\u009b31m",
  "\u202egnp.exe",
  "\u2066x\u2069",
  "\u2028line",
  "a\u0007\u0008b",
  "\r2026 forged line",
  "\u200f\u061c",
]

function clean(scene: Scene, { log }: Program): void {
  const found = raw.exec(log)
  if (found === null) return
  const line = log.slice(0, found.index).split("\n").at(-1) ?? ""
  const code = found[0].codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")
  scene.fell(`U+${code} raw behind ${JSON.stringify(line.replace(/^\S+ /, "").slice(-60))}`)
}

/** Control, C1 and bidirectional characters wherever a client may put text. */
async function sayNasty(server: Server, transport: "tcp" | "tls"): Promise<void> {
  const port = server.port(transport)
  await each(nasty, 2, async (text) => {
    const alone = async (bytes: Uint8Array, login: boolean) => {
      const wire = await openWire(transport, port).catch(() => undefined)
      if (wire === undefined) return
      if (login) await new Client(wire).login({ clientId: `id ${text}`, username: `user ${text}`, password: "x" }, 3000)
      wire.send(bytes)
      await Promise.race([wire.closed, pause(60)])
      wire.destroy()
    }
    for (const version of [4, 5] as const) await alone(connect({ version, clientId: text, username: text }), false)
    await alone(connect({ clientId: "c", will: { topic: `secret/${text}`, payload: text } }), false)
    await alone(publish(5, `secret/${text}`, "m", { qos: 1 }), true)
    await alone(subscribe(5, 1, [{ filter: `secret/${text}` }]), true)
  })
}

async function sayNastyInTls(port: number): Promise<void> {
  const ca = authority({ subject: { commonName: `CA ${nasty[0]}` } })
  await each(nasty, 2, async (text) => {
    const bytes = Buffer.from(text)
    const stream = await openStream("tcp", port).catch(() => undefined)
    stream?.on("error", () => undefined)
    stream?.write(rawClientHello(x25519, { serverName: bytes, alpn: [bytes, Buffer.from("mqtt")] }))
    await pause(60)
    stream?.destroy()
    const shown = pemsOf(clientOf(ca, text, { subject: { commonName: text, organization: text } }))
    const secure = await openStream("tls", port, { tls: shown }).catch(() => undefined)
    secure?.on("error", () => undefined)
    secure?.write(`GET /${text} HTTP/1.0\r\n\r\n`)
    await pause(100)
    secure?.destroy()
  })
}

const characters: Case[] = [
  ...(["text", "json"] as const).map((format) => ({
    name: `control and bidirectional characters, puremq start --log ${format}`,
    beside: true,
    async run(scene: Scene) {
      const ca = scene.file("ca.pem", pemsOf(authority()).cert)
      const server = await scene.broker({
        listeners: ["tcp", "tls"],
        args: [
          ...["--log", format, "--acl", scene.file("acl", "all readwrite public/#\n")],
          ...["--ca", ca, "--client-cert", "request", "--anonymous"],
        ],
      })
      await sayNasty(server, "tcp")
      await sayNasty(server, "tls")
      await sayNastyInTls(server.port("tls"))
      await pause(200)
      clean(scene, server.program)
    },
  })),
  {
    name: "control and bidirectional characters, tls13 serve --www",
    beside: true,
    async run(scene) {
      const server = await scene.tlsServer(["--verify", "request", "--www", "--alpn", "mqtt"])
      await sayNastyInTls(server.port())
      await pause(200)
      clean(scene, server.program)
    },
  },
]

/** Lines of the metrics, over HTTP. */
function metricsOf(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ host: "127.0.0.1", port, path: "/metrics" }, (response) => {
      let text = ""
      response.on("data", (data: Buffer) => {
        text += data.toString("utf8")
      })
      response.on("end", () => resolve(text))
    }).on("error", reject)
  })
}

/** RFC 9846 and its forerunners name about thirty alerts; a few more reasons are not alerts. */
const mostSeries = 45

export const logCases: readonly Case[] = [
  {
    name: "unknown_ca in the clear, puremq start",
    when: "first",
    beside: true,
    async run(scene) {
      const server = await scene.broker({ listeners: ["tls"] })
      await trusted(scene, server.program, server.port("tls"))
    },
  },
  {
    name: "unknown_ca in the clear, tls13 serve",
    beside: true,
    async run(scene) {
      const server = await scene.tlsServer(["--echo"])
      await trusted(scene, server.program, server.port())
    },
  },
  {
    name: "unknown_ca of openssl s_client, puremq start",
    beside: true,
    needs: "openssl",
    async run(scene) {
      const server = await scene.broker({ listeners: ["tls"] })
      const other = scene.file("other-ca.pem", pemsOf(authority()).cert)
      const args = ["s_client", "-connect", `127.0.0.1:${server.port("tls")}`, "-CAfile", other, "-verify_return_error"]
      await new Promise<void>((resolve) => {
        execFile("openssl", args, { timeout: 10_000 }, () => resolve()).stdin?.end()
      })
      await server.program.prints(/tls failure/, 5000)
      scene.check(
        /not trust/i.test(server.program.log),
        "the log does not say that the client does not trust our certificate",
      )
    },
  },
  {
    name: "256 alert numbers are a handful of series",
    when: "first",
    beside: true,
    async run(scene) {
      const server = await scene.broker({ listeners: ["tls", "metrics"] })
      const hello = rawClientHello(x25519)
      await each(Array.from({ length: 512 }).keys(), 16, (i) =>
        refuse(server.port("tls"), i & 0xff, i < 256 ? hello : undefined),
      )
      const text = await metricsOf(server.port("metrics"))
      const series = text.split("\n").filter((line) => line.startsWith("puremq_tls_handshake_failures_total{"))
      scene.check(series.length > 0, "no failure is counted")
      scene.check(series.length <= mostSeries, `${series.length} series`)
    },
  },
  ...characters,
  ...(["puremq start", "tls13 serve"] as const).map((program) => ({
    name: `a list of authorities of more than 64 KiB, ${program}`,
    beside: true,
    async run(scene: Scene) {
      const file = scene.file("many.pem", manyAuthorities())
      let server: Server
      try {
        server =
          program === "puremq start"
            ? await scene.broker({
                listeners: ["tls"],
                args: ["--ca", file, "--client-cert", "request", "--anonymous"],
              })
            : await scene.tlsServer(["--verify", "request", "--echo", "--ca", file])
      } catch (error) {
        // It may refuse to start, in a word.
        const why = error instanceof Error ? error.message : String(error)
        scene.check(!/\n\s+at |\(status \w+\)$/.test(why), why.slice(0, 200))
        return
      }
      const stream = await openStream("tls", server.port("tls"), { timeout: 5000 }).catch(() => undefined)
      scene.check(stream !== undefined, "it starts, and every handshake fails")
      stream?.destroy()
    },
  })),
]

/** 400 authorities with names of about 200 bytes. */
function manyAuthorities(): string {
  const one = authority()
  const long = (text: string) => text.padEnd(64, ".")
  return Array.from({ length: 400 }, (_, i) => {
    const subject = {
      organization: long(`Organization ${i}`),
      organizationalUnit: long(`Unit ${i}`),
      commonName: long(`CA ${i}`),
    }
    return pem(authority({ keyPair: one, subject }).certificate)
  }).join("")
}
