// The way back to the lesson from which somebody has come.

import type { JSX } from "preact"
import { lessons } from "../lessons/lessons.ts"
import { address, go } from "../page/state.ts"

export function LessonBar(): JSX.Element | null {
  const { lesson: id, view } = address.value
  const at = lessons.findIndex((lesson) => lesson.id === id)
  if (at < 0 || view === "lessons") return null
  return (
    <p class="lesson-bar">
      <span>
        <b>Lesson {at + 1}:</b> {lessons[at]!.title}
      </span>
      <span class="lesson-bar-ways">
        <button type="button" onClick={() => go({ view: "lessons" }, true)}>
          Back to the lesson
        </button>
        <button type="button" onClick={() => go({ lesson: undefined })}>
          Close it
        </button>
      </span>
    </p>
  )
}
