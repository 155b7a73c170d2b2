def open_pool(folder):
    from echo.world.pool import Pool
    return Pool(folder)
