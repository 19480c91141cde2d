// Eclipse Paho's clients for Python and Go, as programs of ours around them. All take the same words:
//   PROGRAM --port N --ca FILE [--cert FILE --key FILE] --mqtt 5.0|3.1.1 --id ID [--resume] [--expiry SECONDS]
//     [--receive-maximum N] [--maximum-packet-size BYTES] [--topic-alias-maximum N]
//     [--will-topic TOPIC --will-payload TEXT --will-qos N [--will-delay SECONDS]] and then
//   [--subscribe FILTER --qos N] [--hold]: prints "connected present=true|false", "subscribed" (without a filter too) and
//     "message JSON" for each message; reads "acknowledge" and "leave", a line each
//   --publish TOPIC --qos N [--retain] [--message-expiry SECONDS] [--alias] --payload TEXT ...
// A failure, as the end of the connection is, is a line on standard error and status 1.

import { existsSync, readFileSync } from "node:fs"
import { files, inPeers, outputOf, peerSource } from "../files.ts"
import type { Connect, Message, MqttClient } from "../mqtt-client.ts"
import { type MqttPeer, mqttRow, ourBroker } from "../mqtt-rows.ts"
import { Absent, type Row } from "../table.ts"
import { build } from "./build.ts"

interface PahoPeer {
  readonly name: (mqtt: MqttPeer["mqtt"]) => string
  readonly version: (mqtt: MqttPeer["mqtt"]) => Promise<string>
  readonly command: () => readonly [program: string, ...args: string[]]
}

function pahoRows(peer: PahoPeer): readonly Row[] {
  return (["5.0", "3.1.1"] as const).map((mqtt) =>
    mqttRow({
      name: `${peer.name(mqtt)}; MQTT ${mqtt}`,
      mqtt,
      version: () => peer.version(mqtt),
      broker: ourBroker,
      client: programClient(peer, mqtt),
    }),
  )
}

function programClient({ command }: PahoPeer, mqtt: MqttPeer["mqtt"]): MqttClient {
  const optional = (name: string, value: string | number | undefined) =>
    value === undefined ? [] : [`--${name}`, `${value}`]
  const flag = (name: string, set: boolean | undefined) => (set ? [`--${name}`] : [])
  const connect = (port: number, options: Connect) => [
    ...["--port", `${port}`, "--ca", files.ca, "--mqtt", mqtt, "--id", options.id],
    ...(options.withCertificate ? ["--cert", files.clientCert, "--key", files.clientKey] : []),
    ...flag("resume", options.resume),
    ...optional("expiry", options.expiry),
    ...optional("receive-maximum", options.receiveMaximum),
    ...optional("maximum-packet-size", options.maximumPacketSize),
    ...optional("topic-alias-maximum", options.topicAliasMaximum),
    ...optional("will-topic", options.will?.topic),
    ...optional("will-payload", options.will?.payload),
    ...optional("will-qos", options.will?.qos),
    ...optional("will-delay", options.will?.delay),
  ]
  return {
    holds: true,
    async subscribe(run, { port }, { filter, qos = 0, hold, ...options }) {
      const [name, ...args] = command()
      const program = run.start(name, [
        ...[...args, ...connect(port, options), ...flag("hold", hold)],
        ...(filter === undefined ? [] : ["--subscribe", filter, "--qos", `${qos}`]),
      ])
      const [, present] = await program.prints(/^connected present=(true|false)$/m)
      await program.prints(/^subscribed$/m)
      return {
        sessionPresent: present === "true",
        async messages(count) {
          const lines = await program.matches(/^message (.*)\n/gm, count)
          return lines.map(([, json = ""]): Message => JSON.parse(json))
        },
        acknowledge: () => program.write("acknowledge\n"),
        async leave() {
          program.write("leave\n")
          await program.succeeds()
        },
        vanish: () => program.kill(),
      }
    },
    async publish(run, { port }, { topic, qos, payloads, retain, messageExpiry, alias, ...options }) {
      const [name, ...args] = command()
      await run.do(name, [
        ...[...args, ...connect(port, options), "--publish", topic, "--qos", `${qos}`],
        ...[...flag("retain", retain), ...optional("message-expiry", messageExpiry), ...flag("alias", alias)],
        ...payloads.flatMap((payload) => ["--payload", payload]),
      ])
    },
  }
}

/* ------------------------------------------------------------ Python */

const pahoVersion = "2.1.0"
const environment = inPeers("paho-python")
const environmentPython = inPeers("paho-python/bin/python3")

async function installPahoPython(): Promise<string> {
  if (outputOf("python3", "--version") === undefined) throw new Absent("there is no python3 (Debian: python3)")
  const where = "a virtual environment of Python (Debian: python3-venv)"
  if (!existsSync(inPeers("paho-python/bin/pip"))) await build(where, "python3", ["-m", "venv", environment])
  const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", `paho-mqtt==${pahoVersion}`]
  await build("pip install paho-mqtt", environmentPython, pip)
  const python = outputOf(environmentPython, "-c", "import platform; print(platform.python_version())")
  return `paho-mqtt ${pahoVersion}, Python ${python}`
}

export const pahoPython: readonly Row[] = pahoRows({
  name: () => "Python's paho-mqtt",
  version: installPahoPython,
  command: () => [environmentPython, "-u", peerSource("paho-python/peer.py")],
})

/* ------------------------------------------------------------ Go */

const goBinary = inPeers("paho-go/peer")
const goModules = { "5.0": "github.com/eclipse/paho.golang", "3.1.1": "github.com/eclipse/paho.mqtt.golang" } as const

export const pahoGo: readonly Row[] = pahoRows({
  name: (mqtt) => `Go's ${goModules[mqtt].split("/").at(-1)}`,
  async version(mqtt) {
    const go = outputOf("go", "version")
    if (go === undefined) throw new Absent("there is no go (Debian: golang)")
    const cwd = peerSource("paho-go")
    await build("the peer of Go's Paho", "go", ["build", "-o", goBinary, "."], {
      cwd,
      env: { GOFLAGS: "-mod=readonly -buildvcs=false" },
    })
    const module = new RegExp(`${goModules[mqtt]} (v\\S+)`).exec(readFileSync(peerSource("paho-go/go.mod"), "utf8"))
    return `${module?.[1]}, ${go.replace("go version ", "").split(" ")[0]}`
  },
  command: () => [goBinary],
})
