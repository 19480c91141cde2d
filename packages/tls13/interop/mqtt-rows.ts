// Rows of MQTT peers: others' clients on our broker, and `puremq pub` and `puremq sub` on others' brokers.

import { files } from "./files.ts"
import { brokerLimits, type MqttBroker, type MqttClient, type RunningBroker } from "./mqtt-client.ts"
import { type MqttFeature, mqttFeatures, only5, play, type Setting } from "./mqtt-scenarios.ts"
import { startConfiguredBroker } from "./ours.ts"
import type { Run } from "./program.ts"
import type { Cell, Row } from "./table.ts"

export interface MqttPeer {
  readonly name: string
  readonly mqtt: Setting["mqtt"]
  readonly version: () => Promise<string>
  readonly broker: MqttBroker
  readonly client: MqttClient
  readonly not?: Partial<Readonly<Record<MqttFeature, string>>>
  /** What a cell that runs does not show. */
  readonly but?: Partial<Readonly<Record<MqttFeature, string>>>
}

/** `puremq start`. */
export const ourBroker: MqttBroker = async (run, { withCertificate }) => {
  const certificates = withCertificate ? { ca: files.ca, clientCertificate: "require" } : {}
  const port = await startConfiguredBroker(run, certificates, { limits: brokerLimits })
  return { port, nextSubscribe: async () => undefined }
}

/** Of those who do not hold back acknowledgements. */
export const oneAfterAnother = "it acknowledges at once: that everything comes is all that this shows of its own limit"

export function mqttRow(peer: MqttPeer): Row {
  const { mqtt, client } = peer
  let broker: RunningBroker | undefined
  const not: MqttPeer["not"] = {
    ...(mqtt === "3.1.1" && Object.fromEntries(only5.map((feature) => [feature, "MQTT 3.1.1 does not have it"]))),
    ...peer.not,
  }
  const cell = (feature: MqttFeature): Cell => {
    const why = not[feature]
    if (why !== undefined) return { not: why }
    const run = (run: Run) => play(run, feature, { mqtt, client, broker: broker!, newBroker: peer.broker })
    const but = peer.but?.[feature]
    return but === undefined ? run : { run, but }
  }
  return {
    name: peer.name,
    version: peer.version,
    cells: Object.fromEntries(mqttFeatures.map((feature) => [feature, cell(feature)])),
    async before(run) {
      broker = await peer.broker(run, { withCertificate: false })
    },
    // Most of their time they wait. Some start a dozen processes.
    atOnce: 3,
    milliseconds: 120_000,
  }
}
