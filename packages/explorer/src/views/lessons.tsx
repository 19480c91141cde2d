// Twelve short lessons, one open at a time. Their links lead into the run that the page plays with its own seed and cryptography; the
// steps are looked for in that run, so that they are right whatever changes in it.

import type { JSX } from "preact"
import { useEffect, useRef, useState } from "preact/hooks"
import { addressOfLink, runOfLink } from "../lessons/find.ts"
import { type Lesson, type Link, links, type Paragraph } from "../lessons/lesson.ts"
import { lessons } from "../lessons/lessons.ts"
import { hashOf } from "../page/address.ts"
import { brought } from "../page/brought.ts"
import { runKey, runOf } from "../page/runs.ts"
import { address, playing } from "../page/state.ts"
import type { Timeline } from "../run/step.ts"
import { Section } from "./section.tsx"
import type { ViewProps } from "./view.ts"

export function Lessons(_: ViewProps): JSX.Element {
  const { lesson: id } = address.value
  const at = lessons.findIndex((lesson) => lesson.id === id)
  const lesson = lessons[at]
  return (
    <div class={lesson === undefined ? "lessons" : "lessons is-reading"}>
      <nav class="lesson-list" aria-labelledby="lessons-title">
        <h3 id="lessons-title">Twelve short lessons</h3>
        <ol>
          {lessons.map(({ id: of, title }, index) => (
            <li key={of}>
              <a href={lessonHash(of)} aria-current={of === id ? "page" : undefined}>
                <span class="number">{index + 1}</span>
                <span>{title}</span>
              </a>
            </li>
          ))}
        </ol>
      </nav>
      {lesson === undefined ? (
        <section class="lesson-begin" aria-label="How to read them">
          <p>
            Each lesson is a page of text whose links lead to a step of a real connection: look at it, go on and back
            from there, and come back to the lesson by the line above the views. Each ends with something to try.
          </p>
          <p>
            <a class="strong-link" href={lessonHash(lessons[0]!.id)}>
              Begin with the first
            </a>
          </p>
        </section>
      ) : (
        <Reading key={lesson.id} lesson={lesson} at={at} />
      )}
    </div>
  )
}

function lessonHash(lesson: string | undefined): string {
  return hashOf({ ...address.value, view: "lessons", lesson, look: undefined, field: undefined })
}

function Reading({ lesson, at }: { readonly lesson: Lesson; readonly at: number }): JSX.Element {
  const { title, sections, paragraphs, question, answer } = lesson
  const timelines = useTimelines(lesson)
  const heading = useRef<HTMLHeadingElement>(null)
  // Who has come here from the list or from another lesson goes on reading at its top.
  useEffect(() => {
    if (document.activeElement?.closest(".lessons") || document.activeElement === document.body) {
      heading.current?.focus({ preventScroll: true })
      heading.current?.closest(".lessons")?.scrollIntoView({ block: "nearest" })
    }
  }, [])
  const text = (paragraph: Paragraph) => <Text paragraph={paragraph} timelines={timelines} />
  const [before, after] = [lessons[at - 1], lessons[at + 1]]
  return (
    <article class="lesson" aria-labelledby="lesson-title">
      <p class="lesson-place">
        <a class="all" href={lessonHash(undefined)}>
          All lessons
        </a>
        <span class="quiet">
          Lesson {at + 1} of {lessons.length}
        </span>
      </p>
      <h3 id="lesson-title" ref={heading} tabIndex={-1}>
        {title}
      </h3>
      {paragraphs.map((paragraph, index) => (
        <p key={index}>{text(paragraph)}</p>
      ))}
      <aside class="try" aria-labelledby="try-title">
        <h4 id="try-title">Try it</h4>
        <p>{text(question)}</p>
        <details>
          <summary>What there is to see</summary>
          <p>{text(answer)}</p>
        </details>
      </aside>
      <p class="read-on">
        <span class="quiet">To read on:</span>
        {sections.map((section) => (
          <Section key={section} of={sectionText(section)} />
        ))}
      </p>
      <nav class="lesson-ways" aria-label="Other lessons">
        {before && (
          <a href={lessonHash(before.id)}>
            <span class="quiet">Before</span> <span class="title">{before.title}</span>
          </a>
        )}
        {after && (
          <a class="next" href={lessonHash(after.id)}>
            <span class="quiet">Next</span> <span class="title">{after.title}</span>
          </a>
        )}
      </nav>
    </article>
  )
}

function sectionText(section: string): string {
  if (/^\d/.test(section)) return `RFC 9846 section ${section}`
  return /^[A-G]\b(\.|$)/.test(section) ? `RFC 9846 appendix ${section}` : section
}

/** The runs to which the links of a lesson lead, as soon as they have been played. */
function useTimelines(lesson: Lesson): ReadonlyMap<string, Timeline> {
  const [timelines, setTimelines] = useState<ReadonlyMap<string, Timeline>>(new Map())
  const { seed, provider } = address.value
  useEffect(() => {
    let isWanted = true
    for (const link of links(lesson)) {
      const run = runOfLink(link, address.peek())
      runOf(run).then(
        ({ timeline }) => {
          if (isWanted) setTimelines((known) => new Map(known).set(runKey(run), timeline))
        },
        // The page says itself what went wrong when the run is to be shown.
        () => {},
      )
    }
    return () => {
      isWanted = false
    }
  }, [lesson, seed, provider])
  return timelines
}

interface TextProps {
  readonly paragraph: Paragraph
  readonly timelines: ReadonlyMap<string, Timeline>
}

function Text({ paragraph, timelines }: TextProps): JSX.Element {
  return (
    <>
      {paragraph.map((part, index) =>
        typeof part === "string" ? (
          <Words key={index} text={part} />
        ) : (
          <Way key={index} link={part} timeline={timelines.get(runKey(runOfLink(part, address.value)))} />
        ),
      )}
    </>
  )
}

/** `Code` between backticks. */
function Words({ text }: { readonly text: string }): JSX.Element {
  return <>{text.split("`").map((part, index) => (index % 2 === 0 ? part : <code key={index}>{part}</code>))}</>
}

function Way({ link, timeline }: { readonly link: Link; readonly timeline: Timeline | undefined }): JSX.Element {
  const to = addressOfLink(link, timeline, address.value)
  const leave = () => {
    playing.value = false
    brought.value = undefined
  }
  return (
    <a class="way" href={hashOf(to)} data-step={to.step} onClick={leave}>
      {link.text}
    </a>
  )
}
