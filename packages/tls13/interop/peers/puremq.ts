// `puremq pub` and `puremq sub`, as clients of others' brokers.

import { files } from "../files.ts"
import type { MqttClient } from "../mqtt-rows.ts"
import { puremqClient } from "../ours.ts"

export function puremqTools(mqtt: "5" | "3.1.1"): MqttClient {
  const common = (withCertificate: boolean) => [
    ...["-V", mqtt],
    ...(withCertificate ? ["--cert", files.clientCert, "--key", files.clientKey] : []),
  ]
  return {
    async subscribe(run, broker, { topic, qos, count, withCertificate }) {
      const args = ["-t", topic, "-q", `${qos}`, "-C", `${count}`, "-v", ...common(withCertificate)]
      const program = puremqClient(run, "sub", broker.port, args)
      await broker.subscribed()
      return async () => {
        await program.succeeds()
        const lines = program.output.toString().matchAll(/^(\S+) (.*)$/gm)
        return [...lines].map(([, name = "", payload = ""]) => ({ topic: name, payload }))
      }
    },
    async publish(run, broker, { topic, qos, payload, retain, withCertificate }) {
      const args = ["-t", topic, "-q", `${qos}`, "-m", payload, ...(retain ? ["-r"] : []), ...common(withCertificate)]
      await puremqClient(run, "pub", broker.port, args).succeeds()
    },
  }
}
