"""Workers, a store and an exchange in one virtual world, driven through seeded interleavings.

Reading order: steps (all that can happen), exchange (how they change it), baton, doors and worker
(where a process may be stopped), producer, world and ending (everything together), watch (what must
hold), dice, gambler and schemes (who plays), histories (playing, replaying, cutting down), and
removals (what each safeguard is for).
"""
