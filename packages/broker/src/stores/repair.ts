// Makes the files of a folder what was read of them: what counts no more goes.

import type { Folder } from "./folder.ts"
import { type Cut, type HistoryFile, lossOf } from "./history.ts"

/** @param files those that count, in their order */
export async function repair(
  folder: Folder,
  files: readonly HistoryFile[],
  leftovers: readonly string[],
  cut: Cut | undefined,
  note: (line: string) => void,
): Promise<void> {
  for (const name of leftovers) await folder.remove(name)
  const lost = cut === undefined ? undefined : lossOf(folder, cut)
  if (lost !== undefined) note(`${lost}; they are removed`)
  // The last first, each for certain: what is there at any moment has all that comes before it.
  for (const { name } of [...(cut?.later ?? [])].reverse()) {
    await folder.remove(name)
    await folder.sync()
  }
  for (const file of files) {
    if (file.torn === 0) continue
    if (lost === undefined || file !== cut?.file) {
      const what = `${file.torn} bytes of a turn that was not finished are cut off at offset ${file.size}`
      note(`${folder.path}/${file.name}: ${what}`)
    }
    await cutOff(folder, file)
  }
}

async function cutOff(folder: Folder, { name, size }: HistoryFile): Promise<void> {
  const handle = await folder.open(name)
  try {
    handle.truncate(size)
    await handle.sync()
  } finally {
    await handle.close()
  }
}
