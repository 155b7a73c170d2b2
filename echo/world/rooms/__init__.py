"""Rendered rooms: an asset pack, rooms built from it, a ray caster, and pools of videos on disk.

Nothing here depends on a model. ``build.build_pool`` renders one split of a study; ``rendered_pool.RenderedPool`` reads
it, and any other pool in the layout of the Context-as-Memory dataset.
"""
