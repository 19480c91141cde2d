// Mosquitto's tools as clients of `puremq start`, and its broker for `puremq pub` and `puremq sub`.

import { files, freePort, outputOf, writeFile } from "../files.ts"
import { type MqttBroker, type MqttClient, mqttRow, ourBroker } from "../mqtt-rows.ts"
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
  const certificate = (wanted: boolean | undefined) =>
    wanted ? ["--cert", files.clientCert, "--key", files.clientKey] : []
  return {
    async subscribe(run, { port }, { topic, qos, count, withCertificate }) {
      const program = tool(run, "sub", port, mqtt, [
        ...["-t", topic, "-q", `${qos}`, "-C", `${count}`, "-F", "%q %r %t %p", "-d", ...certificate(withCertificate)],
      ])
      await program.prints(/Subscribed/)
      return async () => {
        await program.succeeds()
        const lines = program.log.matchAll(/^([012]) ([01]) (\S+) (.*)$/gm)
        return [...lines].map(([, level, retained, name = "", payload = ""]) => {
          return { topic: name, payload, qos: Number(level), retain: retained === "1" }
        })
      }
    },
    async publish(run, { port }, { topic, qos, payload, retain, withCertificate }) {
      const program = tool(run, "pub", port, mqtt, [
        ...["-t", topic, "-q", `${qos}`, "-m", payload, ...(retain ? ["-r"] : []), ...certificate(withCertificate)],
      ])
      await program.succeeds()
    },
    async dieWithWill(run, { port }, { topic, payload }) {
      const will = ["--will-topic", topic, "--will-payload", payload, "--will-qos", "1"]
      const program = tool(run, "sub", port, mqtt, ["-t", "nothing", "-d", ...will])
      await program.prints(/Subscribed/)
      await program.kill()
    },
  }
}

export const mosquittoClients: readonly Row[] = [
  mqttRow({
    broker: ourBroker,
    name: "mosquitto_pub, mosquitto_sub; MQTT 5.0",
    version: () => version("mosquitto_pub", "mosquitto-clients"),
    client: client("mqttv5"),
  }),
  mqttRow({
    broker: ourBroker,
    name: "mosquitto_pub, mosquitto_sub; MQTT 3.1.1",
    version: () => version("mosquitto_pub", "mosquitto-clients"),
    client: client("mqttv311"),
  }),
]

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
    async subscribed() {
      await program.prints(/Sending SUBACK/)
    },
  }
}

export const mosquittoBrokers: readonly Row[] = (["5", "3.1.1"] as const).map((mqtt) =>
  mqttRow({
    name: `Mosquitto's broker with puremq pub and sub; MQTT ${mqtt}`,
    version: () => version("mosquitto", "mosquitto"),
    broker,
    client: puremqTools(mqtt),
    not: { will: "puremq pub and sub have no wills" },
  }),
)
