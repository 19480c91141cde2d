// Mosquitto's tools as clients of `puremq start`, and its broker for `puremq pub` and `puremq sub`.

import { files, freePort, outputOf, writeFile } from "../files.ts"
import type { Connect, MqttBroker, MqttClient, Will } from "../mqtt-client.ts"
import { mqttRow, oneAfterAnother, ourBroker } from "../mqtt-rows.ts"
import type { Program, Run } from "../program.ts"
import { Absent, type Row } from "../table.ts"
import { puremqTools } from "./puremq.ts"

async function version(program: string, debian: string): Promise<string> {
  if (outputOf("sh", "-c", `command -v ${program}`) === undefined) {
    throw new Absent(`there is no ${program} (Debian: ${debian})`)
  }
  // Its help ends with status 1.
  const text = outputOf("sh", "-c", `${program} --help 2>&1 || true`)
  return `Mosquitto ${/version ([\d.]+)/.exec(text ?? "")?.[1] ?? ""}`
}

function tool(
  run: Run,
  name: "pub" | "sub",
  port: number,
  mqtt: "mqttv5" | "mqttv311",
  args: readonly string[],
): Program {
  // It would keep its lines until it ends, otherwise.
  return run.start("stdbuf", [
    ...["-oL", `mosquitto_${name}`],
    ...["-h", "localhost", "-p", `${port}`, "--cafile", files.ca, "-V", mqtt, "--tls-version", "tlsv1.3", ...args],
  ])
}

function client(mqtt: "mqttv5" | "mqttv311"): MqttClient {
  const connect = (options: Connect) => {
    const property = (name: string, value: number | undefined) =>
      value === undefined || mqtt !== "mqttv5" ? [] : ["-D", "connect", name, `${value}`]
    return [
      ...["-i", options.id],
      // With -c and without -x, its sessions last for ever.
      ...(mqtt === "mqttv5" ? ["-x", `${options.expiry ?? 0}`] : []),
      ...property("receive-maximum", options.receiveMaximum),
      ...property("maximum-packet-size", options.maximumPacketSize),
      ...(options.withCertificate ? ["--cert", files.clientCert, "--key", files.clientKey] : []),
      ...(options.will ? willOf(options.will) : []),
    ]
  }
  const willOf = ({ topic, payload, qos, delay }: Will) => [
    ...["--will-topic", topic, "--will-payload", payload, "--will-qos", `${qos}`],
    ...(delay === undefined ? [] : ["-D", "will", "will-delay-interval", `${delay}`]),
  ]
  return {
    leavesWithWill: mqtt === "mqttv5",
    keepsLargeQuiet: mqtt === "mqttv5",
    resolvesAliases: [],
    async subscribe(run, { port }, options) {
      const { filter = "interop/nothing", qos = 0, resume } = options
      const program = tool(run, "sub", port, mqtt, [
        ...["-t", filter, "-q", `${qos}`, "-F", "%q %r %t %p", "-d", ...(resume ? ["-c"] : [])],
        ...connect(options),
      ])
      await program.prints(/Subscribed/)
      return {
        sessionPresent: undefined,
        async messages(count) {
          const lines = await program.matches(/^([012]) ([01]) (\S+) (.*)\n/gm, count)
          return lines.map(([, level, retained, topic = "", payload = ""]) => {
            return { topic, payload, qos: Number(level), retain: retained === "1" }
          })
        },
        acknowledge: () => undefined,
        leave: () => program.stop(),
        vanish: () => program.kill(),
      }
    },
    async publish(run, { port }, { topic, qos, payloads, retain, messageExpiry, alias, ...options }) {
      const [payload = ""] = payloads
      const property = (name: string, value: number | undefined) =>
        value === undefined ? [] : ["-D", "publish", name, `${value}`]
      const program = tool(run, "pub", port, mqtt, [
        ...["-t", topic, "-q", `${qos}`, ...(retain ? ["-r"] : []), ...connect(options)],
        ...property("message-expiry-interval", messageExpiry),
        ...property("topic-alias", alias ? 1 : undefined),
        ...(payloads.length > 1 ? ["-l"] : payload === "" ? ["-n"] : ["-m", payload]),
      ])
      if (payloads.length > 1) program.write(payloads.map((line) => `${line}\n`).join(""))
      program.endInput()
      await program.succeeds()
    },
  }
}

export const mosquittoClients: readonly Row[] = (["5.0", "3.1.1"] as const).map((protocol) =>
  mqttRow({
    broker: ourBroker,
    name: `mosquitto_pub, mosquitto_sub; MQTT ${protocol}`,
    mqtt: protocol,
    version: () => version("mosquitto_pub", "mosquitto-clients"),
    client: client(protocol === "5.0" ? "mqttv5" : "mqttv311"),
    but: {
      "topic alias": "mosquitto_sub takes no aliases: this shows mosquitto_pub",
      "Receive Maximum": oneAfterAnother,
    },
  }),
)

/** On a port of 127.0.0.1, with our certificate. */
const broker: MqttBroker = async (run, { withCertificate }) => {
  const port = await freePort()
  const config = writeFile(
    `mosquitto-${port}.conf`,
    [
      `listener ${port} 127.0.0.1`,
      ...[`cafile ${files.ca}`, `certfile ${files.cert}`, `keyfile ${files.key}`, "tls_version tlsv1.3"],
      ...(withCertificate ? ["require_certificate true", "use_identity_as_username true"] : []),
      "allow_anonymous true",
      // It gives up root's rights otherwise, and then cannot read the key.
      ...(process.getuid?.() === 0 ? ["user root"] : []),
      "",
    ].join("\n"),
  )
  const program = run.start("mosquitto", ["-v", "-c", config])
  await program.prints(/mosquitto version .* running/)
  return {
    port,
    async nextSubscribe(clientId) {
      const answer = new RegExp(`Sending SUBACK to ${clientId}$`, "gm")
      const before = (await program.matches(answer, 0)).length
      await program.matches(answer, before + 1)
    },
  }
}

export const mosquittoBrokers: readonly Row[] = (["5", "3.1.1"] as const).map((mqtt) =>
  mqttRow({
    name: `Mosquitto's broker with puremq pub and sub; MQTT ${mqtt}`,
    mqtt: mqtt === "5" ? "5.0" : mqtt,
    version: () => version("mosquitto", "mosquitto"),
    broker,
    client: puremqTools(mqtt),
  }),
)
