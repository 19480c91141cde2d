// Questions about the run that is shown, at the step that is shown. Nobody has written down the answers: the stack is asked.

import { batch, computed, type ReadonlySignal, type Signal, signal } from "@preact/signals"
import type { JSX } from "preact"
import { useLayoutEffect, useRef, useState } from "preact/hooks"
import { hashOf, home } from "../page/address.ts"
import { brought } from "../page/brought.ts"
import { runKey, runOf } from "../page/runs.ts"
import { address, go, playing } from "../page/state.ts"
import { type Kind, kinds, type Question, type Truth, type Verdict, verdictOf } from "../quiz/question.ts"
import { questionAt, turnOf, viewOf } from "../quiz/quiz.ts"
import { alertTruth } from "../quiz/which-alert.ts"
import { breakOf } from "../run/breaks.ts"
import type { Timeline } from "../run/step.ts"
import { Section } from "./section.tsx"
import type { ViewProps } from "./view.ts"

const titles: Readonly<Record<Kind, string>> = {
  message: "The next message",
  nonce: "The nonce",
  secret: "Who knows what",
  transcript: "What is hashed",
  alert: "The alert",
}

/** Of this session: nothing is kept. */
const verdicts: Signal<ReadonlyMap<string, Verdict>> = signal(new Map())
const score: ReadonlySignal<{ readonly right: number; readonly asked: number }> = computed(() => {
  const all = [...verdicts.value.values()]
  return { right: all.filter(({ isRight }) => isRight).length, asked: all.length }
})
/** How many questions have been gone on from. */
const turn: Signal<number> = signal(0)
/** The kind that is asked, where the step has something to ask of it. */
const kind: Signal<Kind | undefined> = signal(undefined)
const wish: Signal<Kind | undefined> = signal(undefined)

export function Quiz({ timeline, step }: ViewProps): JSX.Element {
  const { seed } = address.value
  const question = questionAt(timeline, step, seed, kind.value)
  const run = brought.value?.title ?? runKey(address.value)
  const key = `${run} ${step} ${question.kind}`
  const next = () => {
    const to = turnOf(timeline, seed, turn.value, wish.value)
    batch(() => {
      playing.value = false
      turn.value++
      kind.value = to.kind
      go({ step: to.step, look: undefined, field: undefined })
    })
  }
  return (
    <div class="quiz">
      <header class="quiz-head">
        <p>
          A question belongs to the step that is shown: go to another step, and there is another. One about an alert is
          of a run of its own, with something broken in it. The stack itself is the judge.
        </p>
        <label>
          <span>Ask about</span>
          <select
            value={wish.value ?? ""}
            onChange={(event) => {
              wish.value = kinds.find((one) => one === event.currentTarget.value)
              next()
            }}
          >
            <option value="">anything</option>
            {kinds.map((one) => (
              <option key={one} value={one}>
                {titles[one]}
              </option>
            ))}
          </select>
        </label>
        <p class="quiz-score" role="status">
          <b>{score.value.right}</b> of {score.value.asked} right
        </p>
      </header>
      <Asked key={key} id={key} question={question} timeline={timeline} step={step} next={next} />
    </div>
  )
}

interface AskedProps {
  readonly id: string
  readonly question: Question
  readonly timeline: Timeline
  readonly step: number
  readonly next: () => void
}

function Asked({ id, question, step, next }: AskedProps): JSX.Element {
  const { prompt, given, choices } = question
  const [answer, setAnswer] = useState("")
  const [problem, setProblem] = useState("")
  const heading = useRef<HTMLHeadingElement>(null)
  const onward = useRef<HTMLButtonElement>(null)
  const verdict = verdicts.value.get(id)
  // Whoever went on by its button has lost it.
  useLayoutEffect(() => {
    if (document.activeElement === document.body) heading.current?.focus({ preventScroll: true })
  }, [])
  // The answers are off now, and what had the focus with them: it goes on before another key can be pressed.
  const answered = useRef(verdict !== undefined)
  useLayoutEffect(() => {
    if (verdict !== undefined && !answered.current) onward.current?.focus()
    answered.current = verdict !== undefined
  }, [verdict])
  const submit = async (event: Event) => {
    event.preventDefault()
    if (verdict !== undefined) return
    setProblem(question.breaks === undefined ? "" : "It is being played.")
    try {
      const judged = verdictOf(question, await truthOf(question), answer)
      setProblem(judged === undefined ? notYet(question) : "")
      if (judged !== undefined) verdicts.value = new Map(verdicts.value).set(id, judged)
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error))
    }
  }
  return (
    <section class="quiz-question" aria-labelledby="question-title">
      <p class="quiet">
        {titles[question.kind]}
        {question.kind === "alert" ? "" : `, at step ${step + 1}`}
      </p>
      <h3 id="question-title" ref={heading} tabIndex={-1}>
        {prompt}
      </h3>
      {given.length > 0 && (
        <dl class="quiz-given">
          {given.map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd class={/^[0-9a-f]{16,}$/.test(value) ? "mono" : undefined}>{value}</dd>
            </div>
          ))}
        </dl>
      )}
      <form onSubmit={submit}>
        {choices.length > 0 ? (
          <Choices question={question} answer={answer} verdict={verdict} choose={setAnswer} />
        ) : (
          <label class="quiz-hex">
            <span>{question.bytes} bytes, in hex</span>
            <input
              type="text"
              class="mono"
              autocomplete="off"
              spellcheck={false}
              value={answer}
              readOnly={verdict !== undefined}
              aria-describedby="quiz-problem"
              onInput={(event) => setAnswer(event.currentTarget.value)}
            />
          </label>
        )}
        <p id="quiz-problem" class="quiz-problem" role="status">
          {problem}
        </p>
        {verdict && <Feedback question={question} verdict={verdict} />}
        <p class="actions">
          {verdict === undefined && (
            <button type="submit" class="strong">
              Check
            </button>
          )}
          <button ref={onward} type="button" class={verdict === undefined ? undefined : "strong"} onClick={next}>
            {verdict === undefined ? "Another question" : "Next question"}
          </button>
        </p>
      </form>
    </section>
  )
}

async function truthOf({ truth, breaks }: Question): Promise<Truth> {
  if (truth !== undefined) return truth
  const { seed, provider } = address.value
  const run = { scenario: breakOf(breaks!).scenario, seed, provider, breaks, without: undefined, meddling: undefined }
  return alertTruth((await runOf(run)).timeline)
}

function notYet({ choices, bytes }: Question): string {
  return choices.length > 0 ? "Choose one of them." : `That is not ${bytes} bytes in hex: ${2 * bytes!} digits.`
}

interface ChoicesProps {
  readonly question: Question
  readonly answer: string
  readonly verdict: Verdict | undefined
  readonly choose: (id: string) => void
}

function Choices({ question: { choices, kind: of }, answer, verdict, choose }: ChoicesProps): JSX.Element {
  return (
    <fieldset class={of === "transcript" ? "quiz-choices" : "quiz-choices are-short"} disabled={verdict !== undefined}>
      <legend class="sr">Answers</legend>
      {choices.map(({ id, text }) => (
        <label key={id} class={verdict?.right === id ? "is-right" : undefined}>
          <input type="radio" name="answer" value={id} checked={id === answer} onChange={() => choose(id)} />
          <span>{text}</span>
        </label>
      ))}
    </fieldset>
  )
}

function Feedback({ question, verdict }: { readonly question: Question; readonly verdict: Verdict }): JSX.Element {
  const { isRight, right, reason, because, step } = verdict
  const text = question.choices.find(({ id }) => id === right)?.text
  const { breaks } = question
  const here = address.value
  const to =
    breaks === undefined
      ? { ...here, step, view: viewOf[question.kind], look: undefined, field: undefined }
      : { ...home, seed: here.seed, provider: here.provider, breaks, scenario: breakOf(breaks).scenario, view: "break" }
  return (
    <div class={isRight ? "quiz-feedback is-right" : "quiz-feedback is-wrong"} role="status">
      <p>
        <b>{isRight ? "Right." : "No."}</b> {because}{" "}
        {!isRight && (
          <>
            It is <b class={text === undefined ? "mono" : undefined}>{text ?? right}</b>.
          </>
        )}
      </p>
      <p>
        {reason}{" "}
        <a href={hashOf(to)}>{breaks === undefined ? `See step ${(step ?? 0) + 1}` : "See how it is noticed"}</a>{" "}
        <Section of={question.section} />
      </p>
    </div>
  )
}
