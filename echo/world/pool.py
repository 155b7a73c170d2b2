"""x"""

from echo.world.recordings import open_pool  # noqa
