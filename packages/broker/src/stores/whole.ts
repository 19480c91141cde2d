// A store as a whole, for who looks at it, moves it elsewhere or makes one of what was moved, while no broker has it.

import type { Change } from "../packet/change.ts"
import { type Folder, type Pace, StoreError } from "./folder.ts"
import { HistoryReader, historyOf, lossOf, nameOf, unfinished } from "./history.ts"
import { Image, type ImageCounts } from "./image.ts"
import { problemOf } from "./image-problem.ts"
import { RecordFormat } from "./records.ts"
import { SnapshotWriter } from "./snapshot.ts"

export interface Whole {
  readonly files: number
  readonly bytes: number
  readonly counts: ImageCounts
  /** Bytes of a turn that a crash has cut off: a broker that opens it takes them away. */
  readonly torn: number
  /** What was lost with the power, in words: a broker that opens it removes what comes after it. */
  readonly lost: string | undefined
  /** Why reading ended before the end, where that was allowed. */
  readonly damage: StoreError | undefined
}

/** Reads all of it and changes nothing. Rejects with StoreError. @param upToDamage what comes after damage is left out */
export async function readStoreIn(
  folder: Folder,
  pace: Pace,
  upToDamage: boolean,
  visit?: (change: Change) => Promise<void> | undefined,
): Promise<Whole> {
  const { files } = historyOf(folder)
  if (files.length === 0) throw new StoreError(`there is no store in ${folder.path}`)
  const bytes = files.reduce((sum, { size }) => sum + size, 0)
  const reader = new HistoryReader(folder, new RecordFormat(), pace, upToDamage ? "damage" : "unwritten")
  const image = await reader.image(files)
  const counts = image.counts()
  const lost = reader.cut === undefined ? undefined : lossOf(folder, reader.cut)
  const torn = files.reduce((sum, file) => (lost !== undefined && file === reader.cut?.file ? sum : sum + file.torn), 0)
  if (visit !== undefined) {
    await reader.messages(files, image, visit)
    for (const change of image.changes()) await visit(change)
  }
  return { files: reader.kept(files).length, bytes, counts, torn, lost, damage: reader.damage }
}

/**
 * Makes a store of Changes, in a folder without one. Rejects with StoreError, also for one that cannot be true of what comes
 * before it. @param where in words, which Change came last
 * @param leftOut told of each that refers to something that is not there, instead: it is left out
 */
export async function writeStoreIn(
  folder: Folder,
  changes: AsyncIterable<Change>,
  where: () => string,
  leftOut?: (change: Change, problem: string) => void,
): Promise<ImageCounts> {
  if (historyOf(folder).files.length > 0)
    throw new StoreError(`there is a store in ${folder.path} already; use another folder`)
  const name = nameOf("snapshot", 1)
  const target = await folder.create(unfinished(name))
  const image = new Image()
  try {
    const writer = new SnapshotWriter(target, new RecordFormat(), () => {})
    await writer.start(1)
    for await (const change of changes) {
      const problem = problemOf(image, change)
      if (problem !== undefined) {
        const told = `${where()}: ${problem.what}`
        if (!problem.lacking || leftOut === undefined) throw new StoreError(told)
        leftOut(change, told)
        continue
      }
      image.apply(change)
      await writer.add(change)
    }
    await writer.end()
    await target.sync()
    await target.close()
  } catch (error) {
    await target.close()
    await folder.remove(unfinished(name))
    throw error
  }
  await folder.rename(unfinished(name), name)
  await folder.sync()
  while (!image.settle()) {}
  return image.counts()
}
