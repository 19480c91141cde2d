// What must not grow with a cluster. The figures of all sizes: npm run simulate -- --scale.

import { expect, it } from "vitest"
import { filters, goes, messages, reconnects, signsOfLife, type Table } from "../../simulator/cluster/scale/tables.ts"

function column({ heads, rows }: Table, head: string): number[] {
  const at = heads.indexOf(head)
  expect(at).toBeGreaterThanOrEqual(0)
  return rows.map((row) => Number(row[at]))
}

it("a message costs the same however many nodes there are, and goes to those that want it only", () => {
  const table = messages([4, 12], 200)
  expect(column(table, "appended")).toEqual([1.1, 1.1])
  expect(column(table, "sent to nodes")).toEqual([3, 3])
  expect(column(table, "of them with a subscriber")).toEqual([3, 3])
})

it("a node gets what its sessions want, and from 300 topics on somewhat more", () => {
  const table = filters([100, 600], 500)
  const [few, many] = column(table, "messages that come, of all")
  expect(few).toBe(0.1)
  expect(many).toBeGreaterThan(0.1)
  expect(Math.max(...column(table, "subjects asked for"))).toBeLessThanOrEqual(300)
})

it("a session that is away is in no node, and comes back at the same price however many there are", () => {
  const table = reconnects([100, 400], 25)
  expect(column(table, "of them in a node")).toEqual([0, 0])
  const [reads, more] = column(table, "reads a reconnect")
  expect(more).toBe(reads)
  const [bytes, moreBytes] = column(table, "bytes appended")
  expect(moreBytes! / bytes!).toBeLessThan(1.1)
})

it("each node hears each other about three times in ten seconds", () => {
  expect(column(signsOfLife([4], 30), "heard by each")[0]).toBeCloseTo(1, 1)
})

it("what a node leaves is read once, however many others there are", () => {
  const table = goes([2, 6], 200, 20)
  const [two, six] = column(table, "records and messages read")
  expect(six! / two!).toBeLessThan(1.1)
  const [all, share] = column(table, "by the node that read most")
  expect(share!).toBeLessThan(all! / 2)
})
