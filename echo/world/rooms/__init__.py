"""Where frames come from: an asset pack, rooms built of it, a ray caster, and pools of videos on disk.

Nothing here knows of models. ``build.build_pool`` renders a split of a study; ``rendered_pool.RenderedPool`` reads it,
and any other pool in the layout of the Context-as-Memory dataset.
"""
