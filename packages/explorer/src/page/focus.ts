// Where the focus goes when what had it goes away.

/** To the view that is shown, without moving the page. */
export function focusView(): void {
  document.getElementById("view")?.focus({ preventScroll: true })
}

/** A button that takes itself away, such as "Mend it", hands the focus on to the view: else it would fall back to the page's beginning. */
export function keepFocus(): void {
  addEventListener("click", (event) => {
    const { target } = event
    if (!(target instanceof Element)) return
    // What was pressed is away when the page has been drawn anew, at times only once a run has been played.
    let frames = 0
    const look = () => {
      if (!target.isConnected && document.activeElement === document.body) focusView()
      else if (target.isConnected && ++frames < 60) requestAnimationFrame(look)
    }
    requestAnimationFrame(look)
  })
}
