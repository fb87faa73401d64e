import { setTimeout as sleep } from 'node:timers/promises'
import { type Browser, type CDPSession, chromium, type Page } from '@playwright/test'
import { type Result, result } from '../measure.ts'
import { type Door, openDoor } from '../world/door.ts'
import { openStorm } from '../world/storm.ts'
import type { World } from '../world/world.ts'
import { precise } from './pages.ts'

const CHANGES_A_SECOND = 1_000
const SCROLL_SECONDS = 10
const SAMPLE_SECONDS = 10

/** W16: the table of all pods in Chromium: scrolled, and left open while a thousand pods a second change. */
export async function tableInBrowser(world: World): Promise<Result> {
  const cluster = await world.cluster()
  const pods = await world.pods()
  const minutes = world.options.minutes ?? 2
  const door = await openDoor({ kubeconfigFile: cluster.plane.kubeconfigFile, pods: pods.length })
  const storm = await openStorm(cluster)
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--js-flags=--expose-gc', '--enable-precise-memory-info'],
  })
  try {
    const { page, developer, received } = await openPage(browser, door)
    const began = performance.now()
    await page.goto(`${door.url}/explore/pods`)
    await page.locator('[data-index="0"]').first().waitFor({ timeout: 60_000 })
    const firstRowsMs = performance.now() - began
    const emptyHeap = await heapBytes(developer)
    const frames = await scroll(page)
    const jumps = await jump(page)
    const scrolledHeap = await heapBytes(developer)
    const blowing = storm.blow(CHANGES_A_SECOND, minutes * 60)
    const heaps: number[] = []
    const bytesBefore = received()
    let stormFrames: number[] = []
    for (let sample = 0; sample < (minutes * 60) / SAMPLE_SECONDS - 1; sample++) {
      await sleep(SAMPLE_SECONDS * 1000)
      heaps.push(await heapBytes(developer))
      if (sample === 1) stormFrames = await scroll(page)
    }
    const bytes = received() - bytesBefore
    await blowing
    const half = Math.floor(heaps.length / 2)
    const mean = (values: number[]) => values.reduce((sum, one) => sum + one, 0) / Math.max(1, values.length)
    const megabytes = (value: number) => Math.round(value / 1e5) / 10
    const measured = {
      heapWorstMegabytes: megabytes(Math.max(emptyHeap, scrolledHeap, ...heaps)),
      scrollFrameP95Ms: precise(frames, 0.95),
      kilobytesPerSecondReceived: Math.round(bytes / (minutes * 60) / 100) / 10,
      heapGrowthMegabytesPerHour: megabytes(
        ((mean(heaps.slice(half)) - mean(heaps.slice(0, half))) / ((minutes * 60) / 2)) * 3600,
      ),
      heapAtFirstMegabytes: megabytes(emptyHeap),
      firstRowsMs: Math.round(firstRowsMs),
      scrollFrameP99Ms: precise(frames, 0.99),
      scrollFramesPerSecond: Math.round(frames.length / SCROLL_SECONDS),
      stormScrollFrameP95Ms: precise(stormFrames, 0.95),
      jumpP50Ms: precise(jumps, 0.5),
      jumpWorstMs: precise(jumps, 1),
      minutes,
    }
    const target = { heapWorstMegabytes: 80, scrollFrameP95Ms: 16.7, kilobytesPerSecondReceived: 40 }
    const remark = `Chromium without a screen (frames are drawn by the processor, which it shares with server, API server and etcd), window of 1440 by 900. Left open for ${minutes} minutes of ${CHANGES_A_SECOND} changes a second instead of an hour (--minutes 60 runs the hour); heap after a collection of garbage, every ${SAMPLE_SECONDS} s. Frames: time from one animation frame to the next while the wheel turns for ${SCROLL_SECONDS} s; jump: from a scroll to a far row until it is there.`
    return result('W16', pods.length, target, measured, {}, remark)
  } finally {
    world.changed()
    await browser.close()
    storm.close()
    await door.close()
  }
}

async function openPage(browser: Browser, door: Door) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: 'en-GB' })
  const [name = '', value = ''] = door.cookie.split('=')
  await context.addCookies([{ name, value, url: door.url }])
  const page = await context.newPage()
  const developer = await context.newCDPSession(page)
  await developer.send('Network.enable')
  let bytes = 0
  developer.on('Network.webSocketFrameReceived', ({ response }) => {
    bytes += response.payloadData.length
  })
  return { page, developer, received: () => bytes }
}

async function heapBytes(developer: CDPSession): Promise<number> {
  await developer.send('HeapProfiler.collectGarbage')
  const { usedSize } = await developer.send('Runtime.getHeapUsage')
  return usedSize
}

/** Run in the page, where there is a document; as text, because nothing of a browser is known here. */
const NOTE_FRAMES = `
  globalThis.frames_ = { times: [], running: true }
  let last = performance.now()
  const note = (now) => {
    frames_.times.push(now - last)
    last = now
    if (frames_.running) requestAnimationFrame(note)
  }
  requestAnimationFrame(note)
`
const TAKE_FRAMES = 'frames_.running = false; frames_.times'

/** Milliseconds between animation frames while the list is scrolled with the wheel. */
async function scroll(page: Page): Promise<number[]> {
  await page.evaluate(`{ ${NOTE_FRAMES} }`)
  await page.locator('[data-index]').first().hover()
  const until = performance.now() + SCROLL_SECONDS * 1000
  for (let turn = 0; performance.now() < until; turn++) {
    await page.mouse.wheel(0, turn % 40 < 30 ? 240 : -240)
    await sleep(16)
  }
  return page.evaluate<number[]>(TAKE_FRAMES)
}

const JUMP = `async (to) => {
  let box = document.querySelector('[data-index]')?.parentElement
  while (box && box.scrollHeight <= box.clientHeight + 1) box = box.parentElement
  if (!box) throw new Error('Nothing can be scrolled here')
  const began = performance.now()
  const first = () => document.querySelector('[data-index] a')?.textContent
  const before = first()
  box.scrollTop = box.scrollHeight * to
  while (first() === before && performance.now() - began < 10_000) await new Promise(requestAnimationFrame)
  return performance.now() - began
}`

/** Milliseconds from setting the scroll bar anywhere until rows of that place are there. */
async function jump(page: Page): Promise<number[]> {
  const times: number[] = []
  for (const share of [0.5, 0.9, 0.1, 0.7, 0.3, 0.05]) times.push(await page.evaluate<number>(`(${JUMP})(${share})`))
  return times
}
