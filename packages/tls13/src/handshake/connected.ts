// CONNECTED of RFC 9846 appendix A: what a handshake leaves behind, as plain data. Whatever comes after it is done over this,
// by `post-handshake.ts`, and nothing else of the handshake stays alive. Exporters (section 7.5) read it.

import type { CipherSuiteAlgorithms } from "../crypto/provider.ts"
import { exportKeyingMaterial } from "../schedule/exporter.ts"
import type { MainStage } from "../schedule/key-schedule.ts"
import type { SecretName } from "../trace/events.ts"
import type { Erasure } from "./erasure.ts"
import type { ClientAuthentication, FinishedVerified, PeerAuthentication, ProvenElsewhere } from "./proofs.ts"

/** What only a handshake that was checked to its end can bring. */
export interface Proofs<Authentication = PeerAuthentication | ClientAuthentication> {
  readonly peer: Authentication
  readonly finished: FinishedVerified
}

/** [sender]_application_traffic_secret_N (section 7.2). */
export interface TrafficSecret {
  readonly name: SecretName
  secret: Uint8Array
  /** N: how often it was updated. */
  generation: number
}

/** The secrets in it are its own: `eraseConnected` erases them. */
export interface Connected<Authentication = PeerAuthentication | ClientAuthentication> {
  readonly proofs: Proofs<Authentication> | ProvenElsewhere
  readonly suite: CipherSuiteAlgorithms
  readonly exporterSecret: Uint8Array
  /** resumption_secret (section 7.1); undefined when no ticket will come, or be issued, any more. */
  readonly resumptionSecret: Uint8Array | undefined
  readonly sending: TrafficSecret
  readonly receiving: TrafficSecret
  /** The peer has asked for a KeyUpdate of ours (section 4.7.3). */
  keyUpdateOwed: boolean
  /** We have asked, and the peer has not sent its own yet. */
  keyUpdateAwaited: boolean
  /** What the peer is in the middle of, and nothing may come between (section 4.7.2). */
  answer: object | undefined
}

export interface ApplicationSecrets {
  readonly client: Uint8Array
  readonly server: Uint8Array
  readonly exporter: Uint8Array
}

/** @param transcriptHash of ClientHello...server Finished */
export function applicationSecretsOf(
  main: MainStage,
  transcriptHash: Uint8Array,
  erasure: Erasure,
): ApplicationSecrets {
  return {
    client: erasure.hold(main.clientApplicationTrafficSecret(transcriptHash)),
    server: erasure.hold(main.serverApplicationTrafficSecret(transcriptHash)),
    exporter: erasure.hold(main.exporterSecret(transcriptHash)),
  }
}

/** The part that is made alike for both roles. @param secrets become its own */
export function connectedOf(
  role: "client" | "server",
  secrets: ApplicationSecrets,
): Pick<Connected, "exporterSecret" | "sending" | "receiving"> {
  const client: TrafficSecret = { name: "client_application_traffic_secret", secret: secrets.client, generation: 0 }
  const server: TrafficSecret = { name: "server_application_traffic_secret", secret: secrets.server, generation: 0 }
  return {
    exporterSecret: secrets.exporter,
    sending: role === "client" ? client : server,
    receiving: role === "client" ? server : client,
  }
}

/** Section 7.5. @param length bytes, at most 255 times Hash.length */
export function exportFrom(
  { suite, exporterSecret }: Pick<Connected, "suite" | "exporterSecret">,
  label: string,
  context: Uint8Array,
  length: number,
): Uint8Array {
  return exportKeyingMaterial(suite.hash, exporterSecret, label, context, length)
}

export function eraseConnected({ exporterSecret, resumptionSecret, sending, receiving }: Connected): void {
  for (const secret of [exporterSecret, resumptionSecret, sending.secret, receiving.secret]) secret?.fill(0)
}
