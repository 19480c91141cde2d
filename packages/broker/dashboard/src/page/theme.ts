// Light or dark: as the system has it, or as is chosen here.

import { computed, effect, type ReadonlySignal, type Signal, signal } from "@preact/signals"

export type Choice = "system" | "light" | "dark"

const place = "puremq-theme"
const dark = matchMedia("(prefers-color-scheme: dark)")
const systemIsDark: Signal<boolean> = signal(dark.matches)

export const themeChoice: Signal<Choice> = signal(kept())

export const theme: ReadonlySignal<"light" | "dark"> = computed(() => {
  if (themeChoice.value !== "system") return themeChoice.value
  return systemIsDark.value ? "dark" : "light"
})

export function followTheme(): void {
  dark.addEventListener("change", () => (systemIsDark.value = dark.matches))
  // Before the signals that charts read: they ask the style sheet.
  effect(() => {
    const { value } = themeChoice
    if (value === "system") delete document.documentElement.dataset["theme"]
    else document.documentElement.dataset["theme"] = value
    try {
      localStorage.setItem(place, value)
    } catch {
      // A browser may refuse it: then it holds for this page.
    }
  })
}

function kept(): Choice {
  try {
    const value = localStorage.getItem(place)
    return value === "light" || value === "dark" ? value : "system"
  } catch {
    return "system"
  }
}
