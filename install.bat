@echo off
rem Installs MedServer on Windows; install.ps1 beside this file does the work and takes the same flags as install.sh.
powershell.exe -NoProfile -ExecutionPolicy Bypass -File "%~dp0install.ps1" %*
exit /b %ERRORLEVEL%
