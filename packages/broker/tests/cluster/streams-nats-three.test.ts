// Three nats-servers, each stream on all of them, whose leader is killed.

import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { openStreams } from "../../src/cluster/nats.ts"
import type { Streams } from "../../src/cluster/streams.ts"
import { encodeText } from "../../src/packet/bytes.ts"
import { connectNats } from "../../src/platform/nats-socket.ts"
import { NatsServers, natsServer, withoutNats } from "./nats-server.ts"
import { answer, pass, until } from "./real-time.ts"
import { done, written } from "./streams-contract.ts"

describe.skipIf(natsServer === undefined)(
  `three servers${natsServer === undefined ? `: ${withoutNats}` : ""}`,
  { timeout: 90_000 },
  () => {
    let servers: NatsServers
    const opened: Streams[] = []
    beforeAll(async () => {
      servers = await NatsServers.start(3)
    }, 60_000)
    afterAll(async () => {
      await Promise.all(opened.map((streams) => answer(streams.close())))
      await servers.stop()
    })

    const leaderOf = async (stream: string): Promise<number> => {
      const nats = await connectNats({ servers: [...servers.addresses] })
      const info = await nats.request(`$JS.API.STREAM.INFO.${stream}`)
      await nats.close()
      return Number(info.json<{ cluster: { leader: string } }>().cluster.leader.slice(1))
    }

    it("tell all of what is there, wherever the consumer is that is made for it", async () => {
      const streams = await openStreams({
        ...{ connect: connectNats, servers: servers.addresses },
        ...{ cluster: "ranges", partitions: 1, replicas: 3 },
      })
      opened.push(streams)
      const batch = Array.from({ length: 300 }, (_, at) => ({ subject: `s.${at}`, headers: {}, data: encodeText("x") }))
      done(await answer(streams.append(0, batch)))
      // One of some 40 is asked for before the server that this node is at has heard of it.
      for (let times = 0; times < 150; times++) {
        const { messages } = done(await answer(streams.fetch(0, ["s.>"], 0, 3)))
        expect(messages).toHaveLength(3)
      }
    })

    it("keep what they kept when a node comes that is told of fewer, and more when one is", async () => {
      const open = async (replicas: number) => {
        const options = { connect: connectNats, servers: servers.addresses, cluster: "copies", partitions: 1, replicas }
        const streams = await openStreams(options)
        opened.push(streams)
      }
      const copies = async () => {
        const nats = await connectNats({ servers: [...servers.addresses] })
        const info = await nats.request("$JS.API.STREAM.INFO.copies-0")
        await nats.close()
        return info.json<{ config: { num_replicas: number } }>().config.num_replicas
      }
      await open(1)
      await open(3)
      expect(await copies()).toBe(3)
      await expect(open(1)).rejects.toThrow(/"copies" have 3 replicas, and 1 is configured: configure 3/)
      expect(await copies()).toBe(3)
    })

    it("lose nothing, double nothing and keep the order when the leader is killed", async () => {
      const open = () =>
        openStreams({ connect: connectNats, servers: servers.addresses, cluster: "three", partitions: 1, replicas: 3 })
      const [streams, other] = [await open(), await open()]
      opened.push(streams, other)
      const told: number[] = []
      const following = other.follow(0, ({ data }) => told.push(Number(written(data))))
      done(await answer(following.subjects(["m.a"])))
      let [ended, next, fence] = [false, 0, 0]
      const publish = async () => {
        while (!ended) {
          const data = encodeText(String(next))
          const record = { subject: "s.x", headers: {}, data, expected: fence, rollup: true }
          const appended = await answer(streams.append(0, [{ subject: "m.a", headers: {}, data }, record]))
          if ("last" in appended) [fence, next] = [appended.last, next + 1]
          else {
            const last = await answer(streams.last(0, "s.x"))
            if (last === undefined || "failed" in last) await pass(50)
            else if (last.sequence !== fence) [fence, next] = [last.sequence, next + 1]
          }
        }
      }
      const publishing = publish()
      await until("some are there", () => next > 50)
      await servers.kill(await leaderOf("three-0"))
      const killed = next
      await until("more are there", () => next > killed + 50)
      ended = true
      await publishing
      await until("all are told", () => told.length >= next)
      expect(told).toEqual(Array.from({ length: next }, (_, index) => index))
    })
  },
)
