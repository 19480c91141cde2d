// What a reader must know of messages that were measured, besides what is known of every run.

import { figure, type Run } from "@puremq/tls13/measure"

export function deliveryNotes({ tallies = {}, scenario, loop }: Omit<Run, "notes">): string[] {
  const { qos, subscribers, publishers } = scenario
  const { lost = 0, doubled = 0, "out of order": outOfOrder = 0, "of others": foreign = 0, sent = 0 } = tallies
  const notes: string[] = []
  const copies = (tallies["delivered"] ?? 0) / Math.max(1, sent)
  if (copies > 1.001)
    notes.push(
      `a message counts once for each subscriber that gets it: here ${figure(copies)} times, and so do its rate and its CPU`,
    )
  if (lost > 0)
    notes.push(
      qos === 0
        ? `${figure(lost)} deliveries are missing, which QoS 0 allows: the broker (or the network) dropped them; a lower --rate or --inflight shows what it keeps up with`
        : `${figure(lost)} deliveries of messages that were sent in QoS ${qos} are MISSING: unless a connection was lost (see the failures), the broker dropped them, as some do when a queue is full`,
    )
  if (doubled > 0)
    notes.push(
      qos === 1
        ? `${figure(doubled)} deliveries came again, which QoS 1 allows (MQTT 5.0 section 4.3.2)`
        : `${figure(doubled)} deliveries came TWICE, which QoS ${qos} forbids (MQTT 5.0 section 4.3)`,
    )
  if (outOfOrder > 0)
    notes.push(
      `${figure(outOfOrder)} deliveries came after one that the same client had published later to the same topic: a broker must keep that order (MQTT 5.0 section 4.6)`,
    )
  if (foreign > 0)
    notes.push(
      `${figure(foreign)} messages came that are not of this run: somebody else publishes there, or old ones were retained`,
    )
  if (subscribers === 0)
    notes.push(
      qos === 0
        ? "nobody subscribes, and QoS 0 has no acknowledgement: messages count when they are written, whatever becomes of them"
        : "nobody subscribes: messages count when the broker has acknowledged them",
    )
  if (loop.kind === "closed" && qos === 0 && subscribers !== 0)
    notes.push(
      `a publisher of QoS 0 sends a PINGREQ after each half of --inflight and waits for its answer: that is in the broker's CPU too${publishers === 1 ? "" : ", of each publisher"}`,
    )
  return notes
}
