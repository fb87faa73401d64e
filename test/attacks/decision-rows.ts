import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Cluster } from '@quarterdeck/kube'
import { Bindings } from '../../features/cluster/access/bindings.rules.ts'
import { BindingsFollower } from '../../features/cluster/access/follow-bindings.routes.ts'
import type { Act, Asker } from '../../features/cluster/access/rbac.rules.ts'
import { dice, randomAct, randomAsker, randomWorld } from '../platform/random-rbac.ts'
import type { Row, RowOptions } from './row.ts'
import type { Target } from './target.ts'

/** 200 worlds make 5,000. */
const A_WORLD = 25
const NAMESPACES = ['a08-d0', 'a08-d1', 'a08-d2']
const SETTLE_MS = 10_000

interface Question {
  asker: Asker
  act: Act
}

/** What the API server says. */
async function review(kube: Cluster, { asker: { user, groups }, act }: Question): Promise<boolean> {
  const asked = 'path' in act ? { nonResourceAttributes: act } : { resourceAttributes: { ...act, version: '*' } }
  const { object } = await kube.create({
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    metadata: { name: '' },
    spec: { user, groups, ...asked },
  })
  return object.status.allowed
}

async function decisions({ cluster: { kube } }: Target, { worlds, seed }: RowOptions): Promise<string> {
  for (const name of NAMESPACES) await kube.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
  const bindings = new Bindings()
  const follower = new BindingsFollower({
    cluster: async () => kube,
    bindings,
    except: () => false,
    changed: () => undefined,
    warn: () => undefined,
  })
  let allowed = 0
  try {
    for (let world = seed; world < seed + worlds; world++) {
      const next = dice(world)
      const made = randomWorld(next, { namespaces: NAMESPACES, prefix: `a08-d${world}` })
      for (const object of made) await kube.create(object)
      const questions = Array.from({ length: A_WORLD }, () => ({
        asker: randomAsker(next, NAMESPACES),
        act: randomAct(next, NAMESPACES),
      }))
      const until = Date.now() + SETTLE_MS
      for (;;) {
        // All at once: asking is waiting.
        const wanted = await Promise.all(questions.map((question) => review(kube, question)))
        const said = questions.map(({ asker, act }) => bindings.allows(asker, act))
        const at = wanted.findIndex((one, index) => one !== said[index])
        if (at < 0) {
          allowed += wanted.filter(Boolean).length
          break
        }
        // Both hear of what was made a moment later, each by itself.
        const what = `World ${world}: ${JSON.stringify(questions[at])}: we say ${said[at]}, the API server ${wanted[at]}`
        assert.ok(Date.now() < until, what)
        await sleep(30)
      }
      await Promise.all(
        made.map(({ apiVersion, kind, metadata: { name, namespace } }) =>
          kube.remove({ apiVersion, kind, name, namespace }),
        ),
      )
    }
  } finally {
    follower.end()
  }
  return `${worlds * A_WORLD} decisions from seed ${seed}, ${allowed} of them yes`
}

export const decisionRows: Row[] = [
  { id: 'A08', what: 'random single decisions are those of SubjectAccessReview', run: decisions },
]
