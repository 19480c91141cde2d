// What makes a hub one of several. It is passed in, so a broker that is alone does not carry it.

import type { Cluster } from "../ports/cluster.ts"
import { ClusterSessions, type ClusterSessionsNeeds } from "./cluster-sessions.ts"
import { SharedMembers, type SharedMembersNeeds } from "./shared-members.ts"

export interface Clustering {
  readonly cluster: Cluster
  readonly makeMembers: (needs: SharedMembersNeeds) => SharedMembers
  readonly makeSessions: (needs: ClusterSessionsNeeds) => ClusterSessions
}

/** For a broker that is a node of this cluster. */
export function clustering(cluster: Cluster): Clustering {
  return {
    cluster,
    makeMembers: (needs) => new SharedMembers(needs),
    makeSessions: (needs) => new ClusterSessions(needs),
  }
}
