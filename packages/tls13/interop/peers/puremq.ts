// `puremq pub` and `puremq sub`, as clients of others' brokers.

import { files } from "../files.ts"
import type { MqttClient } from "../mqtt-client.ts"
import { puremqClient } from "../ours.ts"

export function puremqTools(mqtt: "5" | "3.1.1"): MqttClient {
  const common = (withCertificate: boolean | undefined) => [
    ...["-V", mqtt],
    ...(withCertificate ? ["--cert", files.clientCert, "--key", files.clientKey] : []),
  ]
  return {
    leavesWithWill: mqtt === "5",
    async subscribe(run, broker, { id, filter = "interop/nothing", qos = 0, will, withCertificate }) {
      const subscribed = broker.nextSubscribe(id)
      const last =
        will === undefined
          ? []
          : ["--will-topic", will.topic, "--will-payload", will.payload, "--will-qos", `${will.qos}`]
      const args = ["-i", id, "-t", filter, "-q", `${qos}`, "-F", "%q %r %t %p", ...last, ...common(withCertificate)]
      const program = puremqClient(run, "sub", broker.port, args)
      await subscribed
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
    async publish(run, broker, { topic, qos, payloads, retain, withCertificate }) {
      const args = ["-t", topic, "-q", `${qos}`, ...(retain ? ["-r"] : []), ...common(withCertificate)]
      for (const payload of payloads) {
        await puremqClient(run, "pub", broker.port, ["-m", payload, ...args]).succeeds()
      }
    },
  }
}
