// What src/cluster/streams.ts promises, of whatever fulfils it.

import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest"
import type { Append, Appended, Failed, StreamMessage, StreamSequence, Streams } from "../../src/cluster/streams.ts"
import { decodeUtf8, encodeText } from "../../src/packet/bytes.ts"
import type { Pause } from "../../src/ports/pause.ts"

export interface StreamsWorld {
  /** A node of the cluster with this name, of two partitions. */
  open(cluster: string): Promise<Streams>
  answer<Answer>(pause: Pause<Answer>): Promise<Answer>
  /** Time passes until it holds. */
  until(what: string, holds: () => boolean): Promise<void>
  /** @param time milliseconds */
  pass(time: number): Promise<void>
  /** All servers end, as by kill -9. */
  kill(): Promise<void>
  /** They are there again. */
  restart(): Promise<void>
  stop(): Promise<void>
}

export function streamsContract(name: string, begin: () => Promise<StreamsWorld>): void {
  describe(`${name} keeps the promises of streams`, { timeout: 60_000 }, () => {
    let world: StreamsWorld
    let clusters = 0
    let opened: Streams[] = []
    beforeAll(async () => {
      world = await begin()
    }, 60_000)
    afterEach(async () => {
      const closing = opened.map((streams) => world.answer(streams.close()))
      opened = []
      await Promise.all(closing)
    })
    afterAll(() => world.stop())

    /** Nodes of a cluster of their own. */
    const nodes = async (count: number): Promise<Streams[]> => {
      const cluster = `contract-${clusters++}`
      const all: Streams[] = []
      for (let index = 0; index < count; index++) all.push(await world.open(cluster))
      opened.push(...all)
      return all
    }
    const node = async (): Promise<Streams> => (await nodes(1))[0]!
    const put = async (streams: Streams, ...batch: Append[]): Promise<StreamSequence> =>
      lastOf(await world.answer(streams.append(0, batch)))
    /** What a partition has from its beginning: what the tests append comes behind it. */
    const beginOf = async (streams: Streams): Promise<number> => (await got(streams.fetch(0, [], 0, 1))).through
    const got = async <Answer>(pause: Pause<Answer | Failed>): Promise<Answer> => done(await world.answer(pause))

    describe("append", () => {
      it("says the sequence of the last, and all are there as they were given", async () => {
        const streams = await node()
        const begin = await beginOf(streams)
        const text = textFrom(begin)
        expect(await put(streams, message("m.a", "1", { headers: { topic: "a/b", Empty: "" } }))).toBe(begin + 1)
        expect(await put(streams, message("m.a", "2"), message("s.x", "3"), message("m.a", "4"))).toBe(begin + 4)
        const [one, two, four] = await got(streams.all(0, "m.a"))
        expect(one).toMatchObject({ sequence: begin + 1, subject: "m.a", headers: { topic: "a/b", Empty: "" } })
        expect([one, two, four].map(text)).toEqual(["1:1", "2:2", "4:4"])
        expect(text(await got(streams.last(0, "s.x")))).toBe("3:3")
        const at = await got(streams.at(0, begin + 1))
        expect(at).toEqual(one)
        expect(await got(streams.at(0, begin + 5))).toBeUndefined()
        expect(await got(streams.last(0, "s.y"))).toBeUndefined()
        expect(await got(streams.all(0, "s.y"))).toEqual([])
        expect(await got(streams.last(1, "s.x"))).toBeUndefined()
      })

      it("takes any bytes, and leaves them to who gave them", async () => {
        const streams = await node()
        const data = Uint8Array.from({ length: 70_000 }, (_, index) => index)
        const copy = new Uint8Array(data)
        const pauses = [
          streams.append(0, [{ subject: "m.a", headers: {}, data }]),
          streams.append(0, [{ subject: "m.a", headers: {}, data: new Uint8Array(0) }]),
        ]
        data.fill(0)
        const [first = 0] = await Promise.all(pauses.map(async (pause) => lastOf(await world.answer(pause))))
        expect(Buffer.from((await got(streams.at(0, first)))?.data ?? []).equals(copy)).toBe(true)
        expect((await got(streams.last(0, "m.a")))?.data).toEqual(new Uint8Array(0))
      })

      it("has all of a batch or none: one fence refuses the whole, wherever it stands", async () => {
        const streams = await node()
        const first = await put(streams, message("s.x", "a"))
        for (const position of [0, 1, 2]) {
          const batch = [message("m.a", "1"), message("m.b", "2"), message("r.c", "3")]
          batch[position] = message("s.x", "b", { expected: 0 })
          expect(await world.answer(streams.append(0, batch))).toHaveProperty("refused")
        }
        const alone = await world.answer(streams.append(0, [message("s.x", "b", { expected: first + 1 })]))
        expect(alone).toHaveProperty("refused")
        for (const subject of ["m.a", "m.b", "r.c"]) expect(await got(streams.all(0, subject))).toEqual([])
        expect(await got(streams.last(0, "s.x"))).toMatchObject({ sequence: first, data: encodeText("a") })
      })

      it("lets one of two nodes in that expect the same", async () => {
        const [a, b] = (await nodes(2)) as [Streams, Streams]
        let fence = 0
        for (let round = 0; round < 20; round++) {
          const batch = [message("m.a", String(round)), message("s.x", String(round), { expected: fence })]
          const both = await Promise.all([a, b].map((each) => world.answer(each.append(0, batch))))
          expect(both.filter((answer) => "refused" in answer)).toHaveLength(1)
          fence = lastOf(both.find((answer) => "last" in answer)!)
        }
        expect(await got(a.all(0, "m.a"))).toHaveLength(20)
      })

      it("has what rolls up in the place of all before", async () => {
        const streams = await node()
        const begin = await beginOf(streams)
        for (const text of "abc") await put(streams, message("s.x", text), message("s.y", text))
        await put(streams, message("m.a", "1"), message("s.x", "all", { rollup: true, expected: begin + 5 }))
        await put(streams, message("s.x", "d", { expected: begin + 8 }))
        expect((await got(streams.all(0, "s.x"))).map(textFrom(begin))).toEqual(["8:all", "9:d"])
        expect(await got(streams.all(0, "s.y"))).toHaveLength(3)
        expect(await got(streams.at(0, begin + 1))).toBeUndefined()
      })

      it("has what has a lifetime for so long, and the rest for ever", async () => {
        const streams = await node()
        const begin = await beginOf(streams)
        const text = textFrom(begin)
        await put(
          streams,
          message("m.a", "1", { lifetime: 1 }),
          message("m.a", "2"),
          message("s.x", "3", { lifetime: 60 }),
        )
        expect(text(await got(streams.at(0, begin + 1)))).toBe("1:1")
        await world.pass(2500)
        expect(await got(streams.at(0, begin + 1))).toBeUndefined()
        expect((await got(streams.all(0, "m.a"))).map(text)).toEqual(["2:2"])
        expect(text(await got(streams.last(0, "s.x")))).toBe("3:3")
        expect(await put(streams, message("s.y", "4", { expected: 0 }))).toBe(begin + 4)
      })

      it("keeps the order of many that are under way, in batches and alone", async () => {
        const streams = await node()
        const pauses: Pause<Appended>[] = []
        let appended = 0
        for (let index = 0; index < 120; index++) {
          const size = index % 3 === 0 ? 1 : 1 + (index % 7)
          appended += size
          pauses.push(
            streams.append(
              0,
              Array.from({ length: size }, () => message("m.a", String(index))),
            ),
          )
        }
        const lasts: number[] = []
        for (const pause of pauses) lasts.push(lastOf(await world.answer(pause)))
        expect(lasts).toEqual([...lasts].sort((a, b) => a - b))
        const all = (await got(streams.all(0, "m.a"))).map(({ data }) => Number(written(data)))
        expect(all).toHaveLength(appended)
        expect(all).toEqual([...all].sort((a, b) => a - b))
      })

      it("takes as many and as large as it says, and fails with a line above", async () => {
        const streams = await node()
        const batch = Array.from({ length: streams.batch }, () => message("m.a", ""))
        const last = await put(streams, ...batch)
        expect(await world.answer(streams.append(0, [...batch, message("m.a", "")]))).toHaveProperty("failed")
        expect(await world.answer(streams.append(0, []))).toHaveProperty("failed")
        expect(await got(streams.all(0, "m.a"))).toHaveLength(streams.batch)
        const data = new Uint8Array(streams.largest)
        expect(await put(streams, { subject: "m.b", headers: {}, data })).toBe(last + 1)
        const larger = { subject: "m.b", headers: {}, data: new Uint8Array(streams.largest + 1) }
        expect(await world.answer(streams.append(0, [larger]))).toHaveProperty("failed")
        expect((await got(streams.last(0, "m.b")))?.data.length).toBe(streams.largest)
      })
    })

    describe("fetch", () => {
      it("tells ranges, with how far they go", async () => {
        const streams = await node()
        const begin = await beginOf(streams)
        for (let index = 1; index <= 20; index++)
          await put(streams, message(`m.${index % 2 ? "odd" : "even"}.x`, String(index)))
        await put(streams, message("s.x", "last"))
        const fetch = async (subjects: readonly string[], after: number, most: number) => {
          const { messages, through } = await got(streams.fetch(0, subjects, begin + after, most))
          return [messages.map(({ sequence }) => sequence - begin).join(" "), through - begin]
        }
        expect(await fetch(["m.odd.>"], 0, 3)).toEqual(["1 3 5", 5])
        expect(await fetch(["m.odd.>"], 5, 3)).toEqual(["7 9 11", 11])
        expect(await fetch(["m.odd.>"], 15, 100)).toEqual(["17 19", 21])
        expect(await fetch(["m.odd.>", "m.even.*"], 16, 100)).toEqual(["17 18 19 20", 21])
        expect(await fetch(["m.none.>"], 0, 100)).toEqual(["", 21])
        expect(await fetch(["m.>"], 21, 100)).toEqual(["", 21])
        expect((await got(streams.fetch(0, ["m.>"], begin + 2, 1))).messages[0]).toEqual(
          await got(streams.at(0, begin + 3)),
        )
      })

      it("says whether there may be more, also where what there is is large", async () => {
        const streams = await node()
        const begin = await beginOf(streams)
        const large = "x".repeat(600_000)
        for (let index = 0; index < 16; index++) await put(streams, message("m.large", large))
        const sequences: number[] = []
        let [after, more] = [begin, true]
        while (more) {
          const answer = await got(streams.fetch(0, ["m.>"], after, 100))
          sequences.push(...answer.messages.map(({ sequence }) => sequence - begin))
          ;({ through: after, more } = answer)
        }
        expect(sequences).toEqual(Array.from({ length: 16 }, (_, at) => at + 1))
        expect(after).toBe(begin + 16)
      })
    })

    describe("follow", () => {
      it("begins at the end, with no subjects, and tells each once, in order", async () => {
        const [streams, other] = (await nodes(2)) as [Streams, Streams]
        const begin = await beginOf(streams)
        await put(streams, message("m.a", "before"))
        const told: StreamMessage[] = []
        const following = streams.follow(0, (message) => told.push(message))
        await put(streams, message("m.a", "without"))
        expect(await got(following.subjects(["m.a"]))).toEqual({ through: begin + 2 })
        await put(other, message("m.a", "1", { headers: { k: "v" } }), message("m.b", "no"), message("m.a", "2"))
        await world.until("two messages", () => told.length === 2)
        expect(told.map(textFrom(begin))).toEqual(["3:1", "5:2"])
        expect(told[0]).toMatchObject({ subject: "m.a", headers: { k: "v" } })
        expect(await got(following.subjects([]))).toEqual({ through: begin + 5 })
        await put(other, message("m.a", "nobody"))
        expect(await got(following.subjects(["m.>"]))).toEqual({ through: begin + 6 })
        await put(other, message("m.c", "3"))
        await world.until("a third", () => told.length === 3)
        expect(told.map(textFrom(begin))).toEqual(["3:1", "5:2", "7:3"])
      })

      it("has no gap and no doubles while subjects change under load", async () => {
        const [streams, other] = (await nodes(2)) as [Streams, Streams]
        const told: StreamMessage[] = []
        const following = streams.follow(0, (message) => told.push(message))
        await got(following.subjects(["m.a"]))
        const load = new Load(world, other, ["m.a", "m.b", "m.c.d"])
        const from = new Map([["m.a", 0]])
        const changes = [["m.a", "m.b"], ["m.a", "m.b", "m.c.*"], ["m.a"], ["m.a", "m.>"].slice(1), ["m.a", "m.b"]]
        for (const subjects of changes) {
          await load.more(60)
          const { through } = await got(following.subjects(subjects))
          if (!subjects.includes("m.a") && !subjects.includes("m.>")) throw new Error("m.a is asked for always")
          if (subjects.includes("m.b") && !from.has("m.b")) from.set("m.b", through)
        }
        await load.more(60)
        const appended = await load.end()
        const mine = appended.filter(
          ({ subject, sequence }) => sequence > (from.get(subject) ?? Number.POSITIVE_INFINITY),
        )
        // m.b is wanted from the second change on, but for the time of one that was without.
        const wanted = mine.filter(({ subject }) => subject === "m.a").map(({ sequence }) => sequence)
        const lastWanted = appended.filter(({ subject }) => subject !== "m.c.d").at(-1)!.sequence
        await world.until("the last message", () => (told.at(-1)?.sequence ?? 0) >= lastWanted)
        const sequences = told.map(({ sequence }) => sequence)
        expect(sequences).toEqual([...new Set(sequences)].sort((a, b) => a - b))
        expect(told.filter(({ subject }) => subject === "m.a").map(({ sequence }) => sequence)).toEqual(wanted)
        expect(wanted.length).toBeGreaterThan(30)
      })

      it("tells all that come after the answer, for each subject that is added", async () => {
        const [streams, other] = (await nodes(2)) as [Streams, Streams]
        const told = new Map<number, string>()
        const following = streams.follow(0, ({ sequence, subject }) => told.set(sequence, subject))
        const all = Array.from({ length: 8 }, (_, index) => `m.t${index}`)
        const load = new Load(world, other, all)
        const from = new Map<string, number>()
        for (const [index, subject] of all.entries()) {
          const { through } = await got(following.subjects(all.slice(0, index + 1)))
          from.set(subject, through)
          await load.more(20)
        }
        const appended = await load.end()
        const wanted = appended.filter(({ subject, sequence }) => sequence > from.get(subject)!)
        await world.until("all of them", () => wanted.every(({ sequence }) => told.has(sequence)))
        expect(wanted.length).toBeGreaterThan(80)
      })

      it("answers calls together that come before the last one was answered", async () => {
        const streams = await node()
        const begin = await beginOf(streams)
        const told: string[] = []
        const following = streams.follow(0, (message) => told.push(textFrom(begin)(message)))
        const pauses = [["m.a"], ["m.a", "m.b"], ["m.b"]].map((subjects) => following.subjects(subjects))
        for (const pause of pauses) expect(await got(pause)).toEqual({ through: begin })
        await put(streams, message("m.a", "no"), message("m.b", "yes"))
        await world.until("a message", () => told.length > 0)
        expect(told).toEqual(["2:yes"])
      })

      it("takes 300 subjects", async () => {
        const streams = await node()
        const told: string[] = []
        const following = streams.follow(0, ({ subject }) => told.push(subject))
        const subjects = Array.from({ length: 300 }, (_, index) => `m.dev${index}.>`)
        await got(following.subjects(subjects))
        const wanted = [7, 150, 299].map((index) => `m.dev${index}.temperature`)
        await put(streams, ...wanted.map((subject) => message(subject, "")), message("m.dev300.x", ""))
        await put(streams, message("m.dev0.last", ""))
        await world.until("the last", () => told.includes("m.dev0.last"))
        expect(told).toEqual([...wanted, "m.dev0.last"])
      })

      it("tells nothing while it is paused but what was under way, and all of it later", async () => {
        const streams = await node()
        const begin = await beginOf(streams)
        const told: number[] = []
        const following = streams.follow(0, ({ sequence }) => told.push(sequence))
        await got(following.subjects(["m.a"]))
        following.pause()
        for (let batch = 0; batch < 6; batch++)
          await put(streams, ...Array.from({ length: 500 }, () => message("m.a", "x")))
        await world.pass(300)
        expect(told.length).toBeLessThanOrEqual(512)
        following.resume()
        await world.until("all of them", () => told.length === 3000)
        expect(told).toEqual(Array.from({ length: 3000 }, (_, index) => begin + index + 1))
      })
    })

    describe("followRetained", () => {
      it("tells the last of each, then that these were all, then each that comes", async () => {
        const [streams, other] = (await nodes(2)) as [Streams, Streams]
        for (const text of ["1", "2"])
          await put(streams, message("r.a", text), message("r.b.c", text), message("m.a", text))
        const d = message("r.d", "3", { headers: { k: "v" } })
        const sequence = lastOf(await world.answer(streams.append(1, [d])))
        // They are copied a little later.
        const copied = new Set<string | undefined>()
        streams.followRetained((message) => copied.add(message?.subject))
        await world.until("the copies", () => ["a", "b.c", "d", undefined].every((each) => copied.has(each)))
        const told: (string | undefined)[] = []
        const seen: (StreamMessage | undefined)[] = []
        other.followRetained((message) => {
          seen.push(message)
          told.push(message && `${message.subject}=${written(message.data)}`)
        })
        await world.until("all that there are", () => told.includes(undefined))
        expect(told.slice(0, -1).sort()).toEqual(["a=2", "b.c=2", "d=3"])
        expect(told.at(-1)).toBeUndefined()
        expect(seen.find((message) => message?.subject === "d")).toMatchObject({
          headers: { k: "v" },
          origin: { partition: 1, sequence },
        })
        await put(streams, message("r.a", ""), message("r.e", "5"))
        await world.until("two more", () => told.length >= 6)
        expect(told.slice(4)).toEqual(["a=", "e=5"])
      })

      it("has the last after the servers have ended, whoever retained before", async () => {
        const [streams, other] = (await nodes(2)) as [Streams, Streams]
        const told: (string | undefined)[] = []
        streams.followRetained((message) => told.push(message && `${message.subject}=${written(message.data)}`))
        const put1 = async (...batch: Append[]) => lastOf(await world.answer(streams.append(1, batch)))
        const wait = (text: string) => world.until(text, () => told.includes(text))
        await put1(message("r.a", "old"), message("r.b", "old"))
        await wait("b=old")
        await put(streams, message("r.a", "new"), message("r.b", "new"))
        await wait("b=new")
        await world.kill()
        await world.restart()
        await world.until("they are back", () => streams.reachable && other.reachable)
        for (;;) {
          const appended = await world.answer(streams.append(1, [message("r.c", "1")]))
          if ("last" in appended) break
          await world.pass(50)
        }
        await wait("c=1")
        const last = new Map<string, string>()
        other.followRetained((message) => message && last.set(message.subject, written(message.data)))
        await world.until("all of them", () => last.size === 3)
        expect(Object.fromEntries(last)).toEqual({ a: "new", b: "new", c: "1" })
        expect(told.filter((each) => each?.endsWith("old"))).toEqual(["a=old", "b=old"])
      })

      it("says at once when there are none", async () => {
        const streams = await node()
        const told: unknown[] = []
        streams.followRetained((message) => told.push(message))
        await world.until("the answer", () => told.length > 0)
        expect(told).toEqual([undefined])
      })
    })

    describe("tell, listen, ask, answer", () => {
      it("tells the others that listen, in order, and not itself", async () => {
        const [a, b, c] = (await nodes(3)) as [Streams, Streams, Streams]
        const heard: string[][] = [[], [], []]
        for (const [index, each] of [a, b, c].entries()) {
          each.listen(index === 2 ? "q.x" : "q.>", ({ subject, data }) =>
            heard[index]!.push(`${subject} ${written(data)}`),
          )
          await got(each.settled())
        }
        for (let index = 0; index < 200; index++) a.tell(index % 2 ? "q.x" : "q.y.z", {}, encodeText(String(index)))
        await world.until("all of them", () => heard[1]!.length === 200 && heard[2]!.length === 100)
        expect(heard[1]).toEqual(Array.from({ length: 200 }, (_, index) => `${index % 2 ? "q.x" : "q.y.z"} ${index}`))
        expect(heard[2]).toEqual(Array.from({ length: 100 }, (_, index) => `q.x ${2 * index + 1}`))
        expect(heard[0]).toEqual([])
      })

      it("tells headers, once for each that matches, and nothing more to who has stopped", async () => {
        const [a, b] = (await nodes(2)) as [Streams, Streams]
        const heard: unknown[] = []
        const first = b.listen("q.*", (message) => heard.push(message))
        b.listen("q.x", () => heard.push("exact"))
        await got(b.settled())
        a.tell("q.x", { topic: "t" }, encodeText("1"))
        await world.until("both", () => heard.length === 2)
        expect(heard).toContainEqual({ subject: "q.x", headers: { topic: "t" }, data: encodeText("1") })
        first.stop()
        await got(b.settled())
        a.tell("q.x", {}, encodeText("2"))
        await world.until("one more", () => heard.length === 3)
        expect(heard.at(-1)).toBe("exact")
      })

      it("answers what another asks, and fails in time where nobody does", async () => {
        const [a, b] = (await nodes(2)) as [Streams, Streams]
        b.answer("n.b", (data, answer) => answer(encodeText(`${written(data)}!`)))
        b.answer("n.silent", () => {})
        await got(b.settled())
        const pauses = ["1", "2", "3"].map((text) => a.ask("n.b", encodeText(text), 5000))
        const answers = await Promise.all(pauses.map(got))
        expect(answers.map((data) => written(data))).toEqual(["1!", "2!", "3!"])
        expect(await world.answer(a.ask("n.nobody", encodeText(""), 300))).toHaveProperty("failed")
        expect(await world.answer(a.ask("n.silent", encodeText(""), 300))).toHaveProperty("failed")
      })
    })

    describe("servers that end", () => {
      it("lose nothing that was acknowledged, and double nothing that has its fence", async () => {
        const [streams, other] = (await nodes(2)) as [Streams, Streams]
        const reachable: boolean[] = []
        streams.onReachable = (now) => reachable.push(now)
        const told: StreamMessage[] = []
        const following = other.follow(0, (message) => told.push(message))
        await got(following.subjects(["m.a"]))
        const heard: string[] = []
        other.listen("q.x", ({ data }) => heard.push(written(data)))
        const retained: (string | undefined)[] = []
        other.followRetained((message) => retained.push(message?.subject))

        let [ended, next, fence] = [false, 0, 0]
        const publish = async () => {
          while (!ended) {
            const text = String(next)
            const batch = [message("m.a", text), message("s.x", text, { expected: fence })]
            const answer = await world.answer(streams.append(0, batch))
            if ("last" in answer) [fence, next] = [answer.last, next + 1]
            else {
              // Nobody knows: the session's record says it.
              const last = await world.answer(streams.last(0, "s.x"))
              if (last !== undefined && "failed" in last) await world.pass(50)
              else if (last !== undefined && last.sequence !== fence) [fence, next] = [last.sequence, next + 1]
            }
          }
        }
        const publishing = publish()
        await world.until("some are there", () => next > 50)
        await world.kill()
        await world.until("it is known", () => !streams.reachable && !other.reachable)
        expect(await world.answer(streams.append(0, [message("m.z", "")]))).toHaveProperty("failed")
        expect(await world.answer(streams.last(0, "s.x"))).toHaveProperty("failed")
        streams.tell("q.x", {}, encodeText("nobody hears it"))
        await world.pass(300)
        await world.restart()
        await world.until("it is back", () => streams.reachable && other.reachable)
        const after = next
        await world.until("more are there", () => next > after + 50)
        ended = true
        await publishing

        expect(reachable).toEqual([false, true])
        const all = (await got(streams.all(0, "m.a"))).map(({ data }) => Number(written(data)))
        expect(all).toEqual(Array.from({ length: next }, (_, index) => index))
        await world.until("all are told", () => told.length >= next)
        expect(told.map(({ data }) => Number(written(data)))).toEqual(all)
        await got(other.settled())
        streams.tell("q.x", {}, encodeText("heard"))
        await world.until("it listens again", () => heard.length > 0)
        expect(heard).toEqual(["heard"])
        await put(streams, message("r.b", "1"))
        await world.until("what is retained", () => retained.includes("b"))
        expect(retained).toEqual([undefined, "b"])
      })
    })
  })
}

/** Appends go on while something else is done. */
class Load {
  readonly #world: StreamsWorld
  readonly #streams: Streams
  readonly #subjects: readonly string[]
  readonly #appended: { readonly subject: string; readonly sequence: number }[] = []
  #ended = false
  readonly #running: Promise<void>

  constructor(world: StreamsWorld, streams: Streams, subjects: readonly string[]) {
    this.#world = world
    this.#streams = streams
    this.#subjects = subjects
    this.#running = this.#run()
  }

  async more(count: number): Promise<void> {
    const wanted = this.#appended.length + count
    await this.#world.until(`${wanted} appends`, () => this.#appended.length >= wanted)
  }

  async end(): Promise<readonly { readonly subject: string; readonly sequence: number }[]> {
    this.#ended = true
    await this.#running
    return this.#appended
  }

  async #run(): Promise<void> {
    while (!this.#ended) {
      const batches = this.#subjects.map((subject) => ({
        subject,
        pause: this.#streams.append(0, [message(subject, "x")]),
      }))
      for (const { subject, pause } of batches) {
        this.#appended.push({ subject, sequence: lastOf(await this.#world.answer(pause)) })
      }
    }
  }
}

function message(subject: string, text: string, more: Partial<Append> = {}): Append {
  return { subject, headers: {}, data: encodeText(text), ...more }
}

export function lastOf(answer: Appended): StreamSequence {
  if ("last" in answer) return answer.last
  throw new Error(JSON.stringify(answer))
}

export function done<Answer>(answer: Answer | Failed): Answer {
  if (typeof answer === "object" && answer !== null && "failed" in answer) throw new Error(String(answer.failed))
  return answer as Answer
}

/** How far behind the beginning it stands, and what it says. */
function textFrom(begin: StreamSequence): (message: StreamMessage | undefined) => string {
  return (message) => (message === undefined ? "none" : `${message.sequence - begin}:${written(message.data)}`)
}

/** What the bytes say. */
export function written(data: Uint8Array): string {
  return decodeUtf8(data, 0, data.length)
}
