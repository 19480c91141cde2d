// A list of the API, page by page: one page is kept, however long the list is, and looked at anew every few seconds.

import { useEffect, useRef, useState } from "preact/hooks"
import type { PageOf } from "../../../src/admin/http/model.ts"
import type { Input } from "../api/request.ts"
import { asked } from "../live/broker.ts"

/** Rows of a page. */
export const pageSize = 50
const freshEach = 5000
/** A page of a search may be empty, and not the last: so many are asked for before the reader is. */
const mostTries = 20

export interface Pages<Entry> {
  /** Undefined: the first answer has not come. */
  readonly items: readonly Entry[] | undefined
  /** Counted from 0. */
  readonly page: number
  readonly isLast: boolean
  readonly isOld: boolean
  readonly problem: string | undefined
  readonly next: () => void
  readonly previous: () => void
  readonly again: () => void
}

interface State<Entry> {
  readonly key: string
  readonly page: number
  readonly items: readonly Entry[]
  readonly next: string | undefined
}

/** @param input what is searched for; with another the list begins anew */
export function usePages<Entry>(path: string, input: Input): Pages<Entry> {
  const key = JSON.stringify([path, input])
  const [state, setState] = useState<State<Entry> | undefined>(undefined)
  const [problem, setProblem] = useState<string | undefined>(undefined)
  const [wanted, setWanted] = useState({ key, cursors: [undefined] as readonly (string | undefined)[], turn: 0 })
  const latest = useRef(0)
  const cursors = wanted.key === key ? wanted.cursors : [undefined]
  const page = cursors.length - 1
  const load = async () => {
    const mine = ++latest.current
    try {
      const got = await pageFrom<Entry>(path, input, cursors.at(-1))
      if (mine !== latest.current) return
      setState({ key, page, ...got })
      setProblem(undefined)
    } catch (error) {
      if (mine === latest.current) setProblem(error instanceof Error ? error.message : String(error))
    }
  }
  useEffect(() => {
    // Who types is not asked for with every letter.
    const isSame = state?.key === key || state === undefined
    let timer = setTimeout(turn, isSame ? 0 : 200)
    function turn(): void {
      if (!document.hidden) void load()
      timer = setTimeout(turn, freshEach)
    }
    return () => {
      clearTimeout(timer)
      latest.current++
    }
  }, [key, cursors.at(-1), wanted.turn])
  const isOld = state !== undefined && (state.key !== key || state.page !== page)
  return {
    items: state?.items,
    // Of what is shown: another may be on its way.
    page: state?.page ?? 0,
    isLast: state?.next === undefined,
    isOld,
    problem,
    next: () => {
      if (state?.next !== undefined && !isOld) setWanted({ key, cursors: [...cursors, state.next], turn: 0 })
    },
    previous: () => setWanted({ key, cursors: cursors.length > 1 ? cursors.slice(0, -1) : cursors, turn: 0 }),
    again: () => setWanted(({ turn }) => ({ key, cursors, turn: turn + 1 })),
  }
}

async function pageFrom<Entry>(
  path: string,
  input: Input,
  from: string | undefined,
): Promise<{ readonly items: readonly Entry[]; readonly next: string | undefined }> {
  let items: readonly Entry[] = []
  let cursor = from
  for (let tries = 0; tries < mostTries; tries++) {
    const limit = pageSize - items.length
    const answer = await asked<PageOf<Entry>>(path, { ...input, limit, cursor })
    items = [...items, ...answer.items]
    cursor = answer.next
    if (cursor === undefined || items.length >= pageSize) break
  }
  return { items, next: cursor }
}
