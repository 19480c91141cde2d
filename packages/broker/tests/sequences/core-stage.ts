// The broker's core in this process, with a clock that is turned.

import type { BrokerOptions } from "../../src/hub/options.ts"
import { TestBroker } from "../harness.ts"
import { KeepingStore } from "../keeping-store.ts"
import { openAccess } from "../open-access.ts"
import { brokers } from "./brokers.ts"
import { type Line, packetEnd, type Stage } from "./play.ts"
import { threeStepsAccess } from "./three-steps.ts"

/** A stage, and what is wrong with what its broker has told its store. */
export interface CoreStage extends Stage {
  readonly wrong: readonly string[]
}

/** @param pieces bytes come one at a time, unless they are too many */
export function coreStage(name: string, pieces: boolean): CoreStage {
  const made = brokers[name]
  if (made === undefined) throw new Error(`no broker ${name}`)
  const { limits, features, checksPayloadFormat, responseInformation, threeSteps, elsewhere } = made
  const store = new KeepingStore()
  const options: Partial<BrokerOptions> = {
    limits,
    features,
    checksPayloadFormat,
    store,
    access: threeSteps === true ? threeStepsAccess : openAccess,
    redirect: elsewhere === undefined ? undefined : { server: elsewhere, when: "always" },
    responseInformation: (clientId) => responseInformation?.replace("%c", clientId),
  }
  const test = new TestBroker(options, store)
  return { open: () => coreLine(test, pieces), wait: (seconds) => test.pass(seconds), wrong: store.wrong }
}

const tooMany = 4096

function coreLine(test: TestBroker, pieces: boolean): Line {
  let written: Uint8Array[] = []
  let closed = false
  const end = () => {
    closed = true
  }
  const sink = {
    write(chunks: readonly Uint8Array[]) {
      for (const chunk of chunks) written.push(Uint8Array.from(chunk))
      return true
    },
    keeps: false,
    end,
    destroy: end,
    pause: () => undefined,
    resume: () => undefined,
  }
  const connection = test.broker.accept({ transport: "stream", address: "test" }, sink, test.now)
  const next = async () => {
    const all = Uint8Array.from(written.flatMap((chunk) => [...chunk]))
    written = [all]
    if (all.length === 0) return closed ? "end" : "nothing"
    const stop = packetEnd(all, 0) ?? all.length
    written = [all.subarray(stop)]
    return all.subarray(0, stop)
  }
  return {
    send(bytes) {
      const give = (part: Uint8Array) => {
        connection?.receive(part, test.now)
        part.fill(0xee) // the memory of a transport
      }
      if (!pieces || bytes.length > tooMany) give(Uint8Array.from(bytes))
      else for (const byte of bytes) give(Uint8Array.of(byte))
      test.settle()
    },
    next,
    rest: next,
    cut() {
      connection?.transportClosed(test.now, "cut")
      test.settle()
    },
  }
}
