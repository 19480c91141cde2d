// Rows of the broker over TLS, by the broker's processor time: deliveries and connections a second of it.

import {
  allSizes,
  type Brokers,
  compareDeliveries,
  compareStorms,
  type Deliveries,
  deliveriesText,
  hasOwnRows,
  ours,
  own,
  startBrokers,
} from "../brokers.ts"
import { type Comparison, unsettled } from "../measure.ts"
import { ratios } from "../statistics.ts"
import type { CheckContext, CheckGroup } from "./group.ts"
import type { Target } from "./row.ts"

/** By bytes of a message: what is wanted of ours beside each of the others, at QoS 0 and 1. */
const targets = {
  64: { aedes: 3, aedesGcm: 2.5, mosquitto: 2.5 },
  1024: { aedes: 2, aedesGcm: 1, mosquitto: 1 },
  16384: { aedes: 1.2, aedesGcm: 0.4, mosquitto: 0.5 },
} as const

export const broker: CheckGroup = {
  name: "broker",
  help: "deliveries and connections of the broker over TLS by its CPU, beside aedes and Mosquitto",
  seconds: { quick: 90, whole: 765 },
  nodeOnly: true,
  async run(context) {
    const brokers = await startBrokers(context.pems)
    try {
      for (const bytes of allSizes) {
        for (const qos of [0, 1, 2] as const) {
          for (const direction of ["fan-in", "fan-out"] as const) {
            const which = { bytes, qos, direction }
            if (!context.quick || isQuick(which)) await deliveries(context, brokers, which)
          }
        }
      }
      await storms(context, brokers)
    } finally {
      brokers.stop()
    }
  },
}

function isQuick({ bytes, qos, direction }: Deliveries): boolean {
  if (bytes === 64) return qos === 0 || (qos === 2 && direction === "fan-in")
  return qos === 0 && direction === "fan-in"
}

async function deliveries(context: CheckContext, brokers: Brokers, which: Deliveries): Promise<void> {
  const plan = context.quick
    ? { rounds: 5, uncounted: 6, slice: 60, warm: 150, own: false }
    : { rounds: 9, uncounted: 6, slice: 150, warm: 400, own: true }
  const comparison = await compareDeliveries(brokers, context.pems, which, plan)
  const what = `broker, ${deliveriesText(which)}, deliveries a CPU second`
  const wanted = targets[which.bytes]
  const row = (least: number | undefined, us: string, theirs: string) =>
    context.tell({
      name: `${what}: ${us} x ${theirs}`,
      unit: "x",
      values: ratios(samplesOf(comparison, us), samplesOf(comparison, theirs)),
      target: which.qos === 2 || least === undefined ? undefined : { least },
      ...unsettled(comparison),
    })
  row(wanted.aedes, ours.chacha, "aedes, its default")
  row(wanted.aedesGcm, ours.gcm, "aedes, AES-128-GCM")
  if (plan.own && hasOwnRows(which)) {
    row(undefined, own.chacha, "aedes, its default")
    row(undefined, own.gcm, "aedes, AES-128-GCM")
  }
  if (brokers.mosquitto) row(wanted.mosquitto, ours.chacha, "mosquitto, its default")
  else context.tell({ name: `${what} x mosquitto`, skipped: "mosquitto is not installed, or does not start" })
}

async function storms(context: CheckContext, brokers: Brokers): Promise<void> {
  const plan = context.quick ? { rounds: 5, uncounted: 16, slice: 400 } : { rounds: 11, uncounted: 20, slice: 700 }
  const comparison = await compareStorms(brokers, context.pems, plan)
  const row = (theirs: string, target: Target) =>
    context.tell({
      name: `broker, connect storm, connections a CPU second, x ${theirs}`,
      unit: "x",
      values: ratios(samplesOf(comparison, "ours"), samplesOf(comparison, theirs)),
      target,
      ...unsettled(comparison),
    })
  row("aedes", { least: 1.2 })
  if (brokers.mosquitto) row("mosquitto", undefined)
}

function samplesOf({ rows }: Comparison, name: string): readonly number[] {
  return rows.find((row) => row.name === name)!.samples
}
