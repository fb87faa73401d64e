import { bind, bindSocket, type Server, type Socket } from '@quarterdeck/http'
import { conflict, notFound, type Subject } from '@quarterdeck/kernel'
import type { Cluster } from '@quarterdeck/kube'
import {
  createTerminals,
  type Ended,
  isProgramAbsent,
  type Owned,
  type Piece,
  type Session,
  startCommand,
  startShell,
  type Terminals,
} from '@quarterdeck/terminal'
import {
  attachTerminal,
  closeTerminal,
  listTerminals,
  noShell,
  openTerminal,
  type Terminal,
  TerminalControl,
  tooManyTerminals,
} from './terminal.contract.ts'
import { CHANNEL, containerNames, defaultContainer, type TerminalEvent, whyNotRunning } from './terminal.rules.ts'

/** Where a terminal is. */
type Place = Pick<Terminal, 'environment' | 'pod' | 'container' | 'command'> & { cluster: string; namespace: string }

export interface TerminalOptions {
  /** Told of each opening and end. A terminal whose opening it rejects is ended at once. */
  audit(event: TerminalEvent): void | Promise<void>
  /** Nobody connected for so long ends a terminal. Default 10 minutes. */
  idleMs?: number
  /** How many one user may have open. Default 20. */
  perUser?: number
}

/** The terminals of this process; `close` ends them when it ends. */
export function openTerminals({ audit, idleMs = 600_000, perUser = 20 }: TerminalOptions): Terminals<Place> & {
  /** Tells the audit. Ends the terminal and throws when that fails: nothing goes on unrecorded. */
  opened(owned: Owned<Place>): Promise<void>
} {
  const tell = async (kind: TerminalEvent['kind'], { owner, session, about }: Owned<Place>, ended?: Ended) => {
    const { command, ...place } = about
    const program = command[0] ?? ''
    const how = ended ? { exitCode: ended.exitCode } : {}
    await audit({
      kind,
      time: new Date().toISOString(),
      subject: owner,
      terminal: session.id,
      ...place,
      program,
      ...how,
    })
  }
  const telling = new Set<Promise<void>>()
  const terminals = createTerminals<Place>({
    idleMs,
    perOwner: perUser,
    onEnd(owned, ended) {
      const told = tell('ended', owned, ended).catch(() => undefined)
      telling.add(told)
      void told.then(() => telling.delete(told))
    },
  })
  return {
    ...terminals,
    async close(message) {
      await terminals.close(message)
      await Promise.all(telling)
    },
    opened: (owned) =>
      tell('opened', owned).catch((error: unknown) => {
        void owned.session.close('It could not be recorded')
        throw error
      }),
  }
}

const shown = ({ about, session }: Owned<Place>): Terminal => {
  const { environment, pod, container, command } = about
  const { exitCode = null, message = '' } = session.ended ?? {}
  const state = session.ended ? 'Ended' : 'Open'
  return {
    id: session.id,
    environment,
    pod,
    container,
    command,
    state,
    exitCode,
    message,
    startTime: session.startTime,
  }
}

const noSuchTerminal = (id: string) => notFound({ detail: `You have no terminal ${id}; it may have ended a while ago` })

export function terminalRoutes(
  server: Server,
  {
    terminals,
    environment,
  }: {
    terminals: ReturnType<typeof openTerminals>
    /**
     * Where an environment is: to find its pods, and as the person who asks, for the command itself. Throws notFound for
     * one that is not there, clusterForbidden when the cluster lets nobody through.
     */
    environment(name: string, subject: Subject): Promise<{ cluster: Cluster; person: Cluster; namespace: string }>
  },
): void {
  bind(server, openTerminal, async ({ params, body, subject }) => {
    const { cluster, person, namespace } = await environment(params.environment, subject)
    const container = await runningContainer(cluster, namespace, params.pod, body.container)
    if (!terminals.reserve(subject.name)) {
      throw tooManyTerminals({ detail: 'You have as many terminals open as one user may have; end one first' })
    }
    const { tty, columns, rows } = body
    const where = { namespace, pod: params.pod, container, tty, ...(tty ? { size: { columns, rows } } : {}) }
    const starting = body.command ? startCommand(person, where, body.command) : startShell(person, where, cluster)
    const started = await starting.catch((error: unknown) => {
      terminals.release(subject.name)
      throw error
    })
    const absent = noSuchProgram(params.pod, container, body.command?.[0])
    if (!started) {
      terminals.release(subject.name)
      throw absent
    }
    const explain = (failure: Error) => (isProgramAbsent(failure) ? absent.message : failure.message)
    const place = { ...params, cluster: cluster.name, namespace, container, command: [...started.command] }
    const owned = terminals.open(subject.name, place, { tty, explain, ...started })
    await terminals.opened(owned)
    return shown(owned)
  })
  bind(server, listTerminals, ({ subject }) => ({ items: terminals.list(subject.name).map(shown) }))
  bind(server, closeTerminal, ({ params, subject }) => {
    const owned = terminals.find(subject.name, params.terminal)
    if (!owned) throw noSuchTerminal(params.terminal)
    void owned.session.close(`Ended by ${subject.name}`)
    return null
  })
  bindSocket(server, attachTerminal, async ({ params, query, subject, require }, socket) => {
    const owned = terminals.find(subject.name, params.terminal)
    if (!owned) throw noSuchTerminal(params.terminal)
    require(attachTerminal.permission, { environment: owned.about.environment })
    await connect(owned.session, query.offset, socket)
  })
}

/** Joins a socket and a session until either ends. */
async function connect(session: Session, offset: number, socket: Socket): Promise<void> {
  const attachment = session.attach(offset)
  let open = true
  socket.onClose(() => {
    open = false
    attachment.detach()
  })
  await socket.send(JSON.stringify({ offset: attachment.offset }))
  socket.onFrame((frame) => {
    if (typeof frame === 'string') return control(session, frame, socket)
    if (session.write(frame, () => socket.resume())) return
    socket.pause()
  })
  for (let piece = await attachment.next(); piece; piece = await attachment.next()) {
    await socket.send(session.tty ? piece.bytes : withChannel(piece))
  }
  if (!open || !session.ended) return
  await socket.send(JSON.stringify({ ended: session.ended }))
  socket.close()
}

function withChannel({ channel, bytes }: Piece): Uint8Array {
  const frame = new Uint8Array(bytes.length + 1)
  frame[0] = CHANNEL[channel]
  frame.set(bytes, 1)
  return frame
}

function control(session: Session, text: string, socket: Socket): void {
  const parsed = TerminalControl.safeParse(jsonOf(text))
  if (!parsed.success) socket.close(4400, 'Not a control frame of a terminal')
  else if ('closeInput' in parsed.data) session.closeInput()
  else session.resize(parsed.data)
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The container's name. Throws notFound for a pod or container that is not there, conflict for one that does not run. */
async function runningContainer(
  cluster: Cluster,
  namespace: string,
  name: string,
  wanted: string | undefined,
): Promise<string> {
  const pod = await cluster.get({ apiVersion: 'v1', kind: 'Pod', namespace, name })
  if (!pod) throw notFound({ detail: `There is no pod ${name} in ${namespace}` })
  const names = containerNames(pod)
  const container = wanted ?? defaultContainer(pod)
  if (container === undefined || !names.includes(container)) {
    throw notFound({ detail: `Pod ${name} has no container ${container}. It has ${names.join(', ')}.` })
  }
  const why = whyNotRunning(pod, container)
  if (why === undefined) return container
  throw conflict({
    detail: `Container ${container} of pod ${name} does not run (${why}), so nothing can be started in it`,
  })
}

const noSuchProgram = (pod: string, container: string, program: string | undefined) =>
  noShell({
    detail:
      program === undefined
        ? `Container ${container} of pod ${pod} has no shell (no bash, sh or ash). Run a program that it has (qd exec ${pod} -- PROGRAM), or put a container with a shell beside it: kubectl debug -it ${pod} --target=${container} --image=IMAGE`
        : `Container ${container} of pod ${pod} has no program ${program.slice(0, 200)} that can be run. Check the name, or give its whole path.`,
  })
